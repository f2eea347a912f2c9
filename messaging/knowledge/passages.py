"""What of an article is quoted: whole paragraphs of it, as they stand there."""

import re

from .scoring import Word
from .words import stems_of

#: Characters of an answer's quotation.
LENGTH = 800
_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")


def passage(body: str, language: str, asked: list[Word]) -> str:
    """The paragraph that has most of what is asked, and those that have the rest of it, in their order."""
    body = body.strip()
    parts = [part for part in (part.strip() for part in _PARAGRAPHS.split(body)) if part]
    left = list(asked)
    chosen: set[int] = set()
    room = LENGTH
    stemmed = [frozenset(stems_of(part, language)) for part in parts]
    while True:
        best = max(range(len(parts)), key=lambda at: (_worth(left, stemmed[at]), -at))
        if _worth(left, stemmed[best]) <= 0 or best in chosen or (chosen and len(parts[best]) + 2 > room):
            break
        chosen.add(best)
        room -= len(parts[best]) + 2
        left = [word for word in left if not stemmed[best].intersection(word.terms)]
    if not chosen:
        return body if len(body) <= LENGTH else _cut(parts[0], language, asked)
    quoted = "\n\n".join(parts[at] for at in sorted(chosen))
    return quoted if len(quoted) <= LENGTH else _cut(quoted, language, asked)


def _worth(words: list[Word], found: frozenset[str]) -> float:
    return sum(word.worth for word in words if found.intersection(word.terms))


def _cut(text: str, language: str, asked: list[Word]) -> str:
    """From its best sentence on, as far as there is room."""
    sentences = _SENTENCES.split(text)
    worths = [_worth(asked, frozenset(stems_of(sentence, language))) for sentence in sentences]
    start = worths.index(max(worths))
    quoted = ""
    for sentence in sentences[start:]:
        if quoted and len(quoted) + 1 + len(sentence) > LENGTH:
            break
        quoted = f"{quoted} {sentence}".strip()
    return quoted if len(quoted) <= LENGTH else f"{quoted[:LENGTH].rsplit(' ', 1)[0]} …"
