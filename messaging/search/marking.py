"""What of a message matches, shown: some of its text as HTML, escaped, the matching words in <mark>."""

from collections.abc import Sequence
from html import escape

from chatplatform.db.textindex import Phrase, Wanted

from .text import spans, stemmed

#: Characters shown before the first match, and in all.
BEFORE, LENGTH = 60, 240


def marked(text: str, wanted: Wanted, language: str) -> str:
    """Around the first match; the beginning where nothing of it matches (its file's name did, say)."""
    places = _places(text, wanted.phrases, language)
    start = 0
    if places and places[0][0] > BEFORE:
        start = text.rfind(" ", 0, places[0][0] - BEFORE // 2) + 1
        start = max(start, places[0][0] - BEFORE)
    end = min(len(text), max(start + LENGTH, places[0][1] if places else 0))
    shown, at = ["…" if start else ""], start
    for first, last in places:
        if last > end:
            break
        shown += [escape(text[at:first]), "<mark>", escape(text[first:last]), "</mark>"]
        at = last
    return "".join([*shown, escape(text[at:end]), "…" if end < len(text) else ""])


def _places(text: str, phrases: Sequence[Phrase], language: str) -> list[tuple[int, int]]:
    """Where words of the phrases stand, in their order, without overlaps."""
    words = list(spans(text))
    stems = stemmed([word for word, _start, _end in words], language)
    matching: set[int] = set()
    for phrase in phrases:
        length = len(phrase)
        for place, stem in enumerate(stems):
            if stem == phrase[0] and tuple(stems[place : place + length]) == phrase:
                matching.update(range(place, place + length))
    found: list[tuple[int, int]] = []
    for place in sorted(matching):
        _word, start, end = words[place]
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found
