"""A text as its reader sees it: letters that look alike are one, what is not seen is not there."""

import re
import unicodedata
from collections.abc import Iterator

from chatplatform.text import ByCharacter, fold

#: Letters of other alphabets (and a few of this one) → the Latin ones that they look like.
_ALIKE = {
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "ғ": "f", "һ": "h", "н": "h", "і": "i", "ј": "j",
    "к": "k", "ⅼ": "l", "м": "m", "о": "o", "р": "p", "ԛ": "q", "ѕ": "s", "т": "t", "у": "y", "ѵ": "v", "ԝ": "w",
    "х": "x", "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v", "ο": "o", "ρ": "p",
    "τ": "t", "υ": "u", "χ": "x", "ϲ": "c", "ո": "n", "օ": "o", "ս": "u", "ı": "i", "ł": "l", "ø": "o", "đ": "d",
    "ɑ": "a", "ɡ": "g", "ʏ": "y", "ꜱ": "s", "ᴏ": "o", "ɪ": "i", "ʀ": "r", "ɴ": "n", "ᴇ": "e", "ᴀ": "a",
}  # fmt: skip
#: Letters in one character ("㎯"). One that stands for a sentence ("ﷺ") stays itself, or a text would grow by it.
LIGATURE = 6
_WORD = re.compile(r"[^\W_]+")
_MAYBE_DISGUISED = re.compile(r"[a-z0-9@$!|]{3,40}")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .*_-]{1,2}){3,24}[^\W\d_](?![^\W_])")
_SIGNS = re.compile(r"[@$|0-9]")
_AS_LETTERS = [str.maketrans("@$!|013457", f"as{one}{one}o{one}east") for one in "il"]
_LATIN = re.compile(r"[A-Za-z]")
_OTHER = re.compile(r"[\u0370-\u03ff\u0400-\u052f\u0531-\u0589]")


def _seen(char: str) -> str:
    if unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return ""
    letters = fold(char)
    if len(letters) > LIGATURE:
        return char
    return "".join(_ALIKE.get(part, part) for part in letters)


_SEEN = ByCharacter(_seen)


def seen(text: str) -> str:
    """Case, accents and look-alikes folded, what is invisible gone: "Кaz\\u200bíno" → "kazino"."""
    return text.lower() if text.isascii() else text.translate(_SEEN)


def words(text: str) -> list[str]:
    """Letters and digits that stand together."""
    return _WORD.findall(text)


def disguised(seen_text: str) -> Iterator[str]:
    """What words may be meant by "pr1ze", "ca$h" and "f r e e"."""
    if _SIGNS.search(seen_text):
        for written in _MAYBE_DISGUISED.findall(seen_text):
            written = written.rstrip("!|")
            if not written.isalpha() and not written.isdigit():
                for table in _AS_LETTERS:
                    meant = written.translate(table)
                    if meant.isalpha():
                        yield meant
    for spaced in _SPACED.findall(seen_text):
        yield "".join(_WORD.findall(spaced))


def mixes_alphabets(text: str) -> str:
    """A word in which letters of two alphabets stand together; empty without any."""
    if text.isascii() or not _OTHER.search(text):
        return ""
    for word in _WORD.findall(text):
        if not word.isascii() and _LATIN.search(word) and _OTHER.search(word):
            return str(word)
    return ""
