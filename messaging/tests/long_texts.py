"""The longest texts there may be, made to keep anti-spam and auto-tags busy, and the rules that do most with them."""

import random
import string
from collections.abc import Callable

from messaging.rules.words import Tagger
from messaging.spam import AntiSpam, Judge

LONGEST = 65_536  # bytes of UTF-8

#: For anti-spam.
SUSPECT: dict[str, str] = {
    "one letter": "a" * 65_536,
    "one digit": "1" * 65_536,
    "digits and spaces": "1 " * 32_768,
    "spaced letters": "a " * 32_768,
    "dots": "." * 65_536,
    "domain labels": "a." * 32_768,
    "links": "http://a.b " * 5_957,
    "schemes": "http://" * 9_362,
    "at signs": "a@" * 32_768,
    "accents": "a" + "\u0301\u0323" * 16_383,
    "brackets": "[(" * 32_768,
    "prices": "£1 " * 16_384,
    "leet": "c4s1n0" * 10_922,
    "per and spaces": "per " * 16_384,
    "phones": "(09) 061-" * 7_281,
    "zero width": "\u200b" * 21_845,
    "wide": "ﷺ" * 21_845,
    "mixed alphabets": "aя" * 21_845,
    "my and letters": "my " + "a" * 65_000,
    "every group": "won cash free offer call now stop rate sexy tone phone bitcoin casino viagra salary " * 780,
    "capitals": "AB cd " * 10_922,
    "slashes": "http:" + "/" * 65_000,
    "terms": "t&c t's " * 8_192,
    "plus": "+1 234 " * 9_362,
    "digits": "1234567890 " * 5_957,
    "different links": " ".join(f"http://a{n}.b" for n in range(4_300)),
    "listed links": " ".join(f"http://a{n}.example.com" for n in range(2_600)),
    "different bare links": " ".join(f"a{n}.b" for n in range(7_000)),
    "cyrillic links": "яё.рф " * 5_957,
    "different cyrillic links": " ".join(f"http://я{n}.рф" for n in range(3_500)),
    "leet words": " ".join(f"c{n}s@" for n in range(7_000)),
    "addresses": "http://[::1] " * 5_000,
}

PHRASES = [f"win a big prize today with our {n}" for n in range(300)]
#: Lists of keywords, each with the text that begins like most of them.
KEYWORDS: dict[str, tuple[list[str], str]] = {
    "beginnings": (["a " * 40 + str(n) for n in range(500)], "a " * 32_760),
    "phrases": (PHRASES, " ".join(PHRASES * 6)[:65_000]),
    "symbols": (["+" * 90 + f"c{n}" for n in range(500)], "+" * 65_000),
}

#: For auto-tags.
WORDY: dict[str, str] = {
    "letters": "a " * (LONGEST // 2),
    "one word": "a" * LONGEST,
    "words": " ".join("".join(random.Random(n).choices(string.ascii_lowercase, k=7)) for n in range(LONGEST // 8)),
    "letters of chance": " ".join(random.Random(3).choices(string.ascii_lowercase, k=LONGEST // 2)),
    "two letters": " ".join(random.Random(3).choices("ab", k=LONGEST // 2)),
    "pairs": " ".join(f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}" for n in range(LONGEST // 3)),
    "ligatures": "ﷺ" * (LONGEST // 3),
    "accents": "é" * (LONGEST // 2),
    "marks": "a" + "\u0301" * (LONGEST // 2 - 1),
    "joined": "a_" * (LONGEST // 2),
}


def judge() -> Judge:
    """With lists of domains and of words."""
    listed = ["example.com", "*.shop.example", "Münch.example"]
    return Judge(AntiSpam(enabled=True, whitelist_domains=listed, blacklist_keywords=["casino", "free money", "💰"]))


def judge_of(keywords: list[str]) -> Judge:
    return Judge(AntiSpam(enabled=True, blacklist_keywords=keywords))


def _of_every_length(chance: random.Random) -> list[str]:
    return ["a" * n for n in range(1, 51)] + ["".join(chance.choices("abc", k=9)) for _ in range(950)]


def _of_many_letters(chance: random.Random) -> list[str]:
    return [" ".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 4))) for _ in range(1000)]


def _of_several_words(chance: random.Random) -> list[str]:
    words = [" ".join(chance.choices("ab", k=4)) for _ in range(500)] + ["a a a " + "a" * n for n in range(1, 45)]
    return words + [f"{a}{b} {c}" for a in "abcdefgh" for b in "abcdefgh" for c in "abcdefgh"][:456]


TAGGERS: dict[str, Callable[[random.Random], list[str]]] = {
    "of every length": _of_every_length,
    "of several words": _of_several_words,
    "of many letters": _of_many_letters,
}


def tagger(kind: str) -> Tagger:
    """A thousand rules."""
    words = TAGGERS[kind](random.Random(1))
    assert len(words) == 1000
    return Tagger(([word], f"tag {n}") for n, word in enumerate(words))
