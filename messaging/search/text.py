"""The words of a text as the index has them: case and accents folded, then stemmed, on every database alike.

A word is letters, digits and marks that stand together. In scripts without spaces (Han, kana, Thai, Lao,
Khmer, Burmese) each character is a word, so is each emoji: what stands together in a query must stand
together in the text. What is invisible (soft hyphens, joiners, marks of direction) is not there.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator

import Stemmer

from chatplatform.text import ByCharacter, fold

#: What a client's `search_language` says → the algorithm of Snowball; any other leaves words as they are.
_ALGORITHMS = {"en": "english", "es": "spanish", "id": "indonesian", "pt": "portuguese"}
#: Characters by which words are told apart; a longer word is found by its beginning.
LONGEST = 100
_ALONE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2300-\u23ff\u2600-\u27bf\U0001f000-\U0001faff"  # signs and emoji
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
_ZERO_WIDTH_SPACE = "\u200b"
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # how the character before it looks


def _form(char: str) -> str:
    if unicodedata.category(char) == "Cf" or _VARIATION.match(char):
        return " " if char == _ZERO_WIDTH_SPACE else ""
    return "".join(map(_part, fold(char)))


def _part(char: str) -> str:
    """Itself, in spaces where it is a word alone; a space where it is none of a word."""
    kind = unicodedata.category(char)
    if _ALONE.match(char):
        return f" {char} " if kind[0] in "LNM" or kind == "So" else " "
    return char if char.isalnum() or kind[0] == "M" else " "


_FORMS = ByCharacter(_form)
_own = threading.local()


def words(text: str) -> list[str]:
    """As they are told apart, in their order: "¿Dónde está?" → donde, esta."""
    found = text.translate(_FORMS).split()
    return found if len(text) <= LONGEST else [word[:LONGEST] for word in found]


def stems(text: str, language: str) -> list[str]:
    """The words' stems, in their order; `language` is a client's `search_language`."""
    return stemmed(words(text), language)


def stemmed(found: list[str], language: str) -> list[str]:
    if language not in _ALGORITHMS:
        return found
    if language == "pt":
        found = [_portuguese(word) for word in found]
    return [stem if stem.isascii() else fold(stem) for stem in _stemmer(language).stemWords(found)]


def spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word and where in the text it stands."""
    word, start, end = "", 0, 0
    for place, char in enumerate(text):
        form = _FORMS[ord(char)]
        if form and " " not in form:
            start = start if word else place
            word, end = word + form, place + 1
            continue
        if not form:  # invisible: neither of the word nor its end
            continue
        first, *rest = form.split(" ")
        if first:
            start, end = (start if word else place), place + 1
        if word + first:
            yield (word + first)[:LONGEST], start, end
        *inner, word = rest
        for part in inner:
            if part:
                yield part[:LONGEST], place, place + 1
        start, end = place, place + 1
    if word:
        yield word[:LONGEST], start, end


def _stemmer(language: str) -> "Stemmer.Stemmer":
    """One for each thread: they are not made for sharing."""
    name = _ALGORITHMS[language]
    found = getattr(_own, name, None)
    if found is None:
        found = Stemmer.Stemmer(name)
        setattr(_own, name, found)
    return found


def _portuguese(word: str) -> str:
    """The endings whose accents the stemmer knows them by: reclamações, reclamacao → reclamação."""
    if word.endswith("oes") and len(word) > 4:
        word = f"{word[:-3]}ao"
    return f"{word[:-3]}ção" if word.endswith("cao") and len(word) > 4 else word
