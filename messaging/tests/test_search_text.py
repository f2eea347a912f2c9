"""The words of a text, as full-text search knows them (docs/search.md)."""

import random

import pytest

from messaging.search.text import LONGEST, spans, stems, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("¿Dónde está mi PEDIDO n.º 12-34?", ["donde", "esta", "mi", "pedido", "n", "o", "12", "34"]),
        ("don't snake_case naïve", ["don", "t", "snake", "case", "naive"]),
        ("日本 ガス", ["日", "本", "カ", "ス"]),
        ("👍🏽 ok ❤️", ["👍", "ok", "❤"]),
        ("हिन्दी में", ["हिनदी", "में"]),
        ("co\u00adoperate ab\u200bcd \u200fשלום\u200f", ["cooperate", "ab", "cd", "שלום"]),
        ("ﷺ ⑴ ½ ﬁne ẞ İ", ["صلى", "الله", "عليه", "وسلم", "1", "1", "2", "fine", "ss", "i"]),
        ("null None 0 \ufffd \ue000 ---", ["null", "none", "0"]),
        ("", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_long_word_is_known_by_its_beginning() -> None:
    assert words("á" * 65_536) == ["a" * LONGEST]
    assert [word for word, _start, _end in spans("á" * 500)] == ["a" * LONGEST]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("es", "reclamación reclamaciones RECLAMACION", ["reclam"] * 3),
        ("pt", "reclamação reclamações reclamacao reclamacoes", ["reclam"] * 4),
        ("en", "order orders ordered ordering", ["order"] * 4),
        ("id", "pesan pesanlah", ["pesan"] * 2),
        ("none", "orders Órdenes", ["orders", "ordenes"]),
    ],
)
def test_stems(language: str, text: str, found: list[str]) -> None:
    assert stems(text, language) == found


def test_stems_are_folded_whatever_the_language() -> None:
    for language in ("es", "pt", "en", "id", "none"):
        for word in ("não", "café", "niño", "señorita", "über", "coração", "anões"):
            assert stems(word, language) == stems(words(word)[0], language)
            assert all(stem.isascii() for stem in stems(word, language))


def test_where_words_stand() -> None:
    text = "Ça va, 日本? co\u00adop ﷺ"
    assert [(word, text[start:end]) for word, start, end in spans(text)] == [
        ("ca", "Ça"), ("va", "va"), ("日", "日"), ("本", "本"), ("coop", "co\u00adop"),
        ("صلى", "ﷺ"), ("الله", "ﷺ"), ("عليه", "ﷺ"), ("وسلم", "ﷺ"),
    ]  # fmt: skip


def test_places_and_words_agree_on_any_text() -> None:
    rnd = random.Random(6)
    planes = [(32, 127), (0xA0, 0x500), (0x590, 0x1100), (0x2000, 0x3400), (0xAC00, 0xD000), (0xE000, 0x30000)]
    for _ in range(3000):
        text = "".join(chr(rnd.randrange(*rnd.choice(planes))) for _ in range(20))
        assert [word for word, _start, _end in spans(text)] == words(text), repr(text)
        assert not any(char in word for word in words(text) for char in " '\"\\:&|!()<>"), repr(text)
