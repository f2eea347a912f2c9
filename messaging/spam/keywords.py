"""The blacklisted words of a text. However many there are, each word of the text is looked at once or twice."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from .folding import disguised, seen, words

#: A word, one symbol, or what parts them.
_PART = re.compile(r"[^\W_]+|\s+|[\W_]")


def is_word(keyword: str) -> bool:
    """Whether it has a letter or a digit: "." or "!" would hold every message."""
    return bool(words(seen(keyword)))


def normal(keyword: str) -> str:
    """The same for keywords that match the same."""
    return " ".join(seen(keyword).split())


class Keywords:
    """One client's. Those with symbols ("C++", "24/7") match with their symbols; of the others, the words."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._single: dict[str, str] = {}
        phrases, exact = [], []
        for keyword in keywords:
            folded = normal(keyword)
            parts = words(folded)
            if not parts:
                continue
            if " ".join(parts) != folded:
                exact.append((_parts(folded), keyword))
            elif len(parts) == 1:
                self._single.setdefault(folded, keyword)
            else:
                phrases.append((parts, keyword))
        self._phrases, self._exact = _Sequences(phrases), _Sequences(exact)

    def found(self, seen_text: str) -> list[str]:
        """Those of a text, each once, as the client wrote it."""
        found: dict[str, None] = {}
        tokens = words(seen_text) if self._single or self._phrases else []
        if self._single:
            said = self._single.keys() & {*tokens, *disguised(seen_text)}
            found |= dict.fromkeys(self._single[word] for word in sorted(said))
        if self._phrases:
            found |= dict.fromkeys(self._phrases.within(tokens))
        if self._exact:
            found |= dict.fromkeys(self._exact.within(_parts(seen_text)))
        return list(found)


def _parts(seen_text: str) -> list[str]:
    return [" " if part.isspace() else part for part in _PART.findall(seen_text)]


class _Sequences:
    """Sequences of words, looked for all at once (Aho and Corasick): the work grows with the text alone."""

    def __init__(self, sequences: Iterable[tuple[Sequence[str], str]]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._name: dict[int, str] = {}  # of the sequence that ends at a place
        for sequence, name in sequences:
            place = 0
            for word in sequence:
                following = self._next[place]
                if word not in following:
                    following[word] = len(self._next)
                    self._next.append({})
                place = following[word]
            self._name.setdefault(place, name)
        #: Place → the longest other beginning that what was read ends with, and the next named one along those.
        self._shorter = [0] * len(self._next)
        self._named = [0] * len(self._next)
        waiting = deque(self._next[0].values())
        while waiting:
            place = waiting.popleft()
            shorter = self._shorter[place]
            self._named[place] = shorter if shorter in self._name else self._named[shorter]
            for word, longer in self._next[place].items():
                self._shorter[longer] = self._step(shorter, word)
                waiting.append(longer)

    def __bool__(self) -> bool:
        return bool(self._name)

    def _step(self, place: int, word: str) -> int:
        while word not in self._next[place]:
            if not place:
                return 0
            place = self._shorter[place]
        return self._next[place][word]

    def within(self, text: Iterable[str]) -> Iterator[str]:
        """The names of those that stand in the text, each once."""
        places, told = {0}, {0}
        place = 0
        for word in text:
            place = self._next[place].get(word) or self._step(place, word)
            places.add(place)
        for place in places:
            while place not in told:
                told.add(place)
                if place in self._name:
                    yield self._name[place]
                place = self._named[place]
