"""Which auto-tags a text gets: keywords are looked up, not searched for, so that their number costs nothing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

from chatplatform.text import fold

_WORD = re.compile(r"[^\W_]+")
#: Of a keyword: each of them may stand at each word of a text.
KEYWORD_WORDS = 4


def words_of(text: str) -> list[str]:
    """Letters and digits that stand together, case and accents folded."""
    return _WORD.findall(fold(text))


@dataclass(slots=True)
class _Node:
    """What may follow upon the words so far: more words of a keyword, or its last one's beginning."""

    following: "dict[str, _Node]" = field(default_factory=dict)
    endings: dict[str, list[int]] = field(default_factory=dict)  # beginning of a word → places of tags
    lengths: list[int] = field(default_factory=list)  # of those beginnings
    initials: set[str] = field(default_factory=set)

    def tags_of(self, word: str) -> Iterable[int]:
        length = len(word)
        for number in self.lengths:
            if number > length:
                break
            yield from self.endings.get(word[:number], ())


class Tagger:
    """Of one client: (words, tag) in the order of their making."""

    def __init__(self, auto_tags: Iterable[tuple[Iterable[str], str]]) -> None:
        self._names: list[str] = []
        self._root = _Node()
        for words, name in auto_tags:
            place = len(self._names)
            self._names.append(name)
            for keyword in words:
                self._add(words_of(keyword), place)

    def tags(self, text: str) -> list[str]:
        """A keyword's words stand in the text one after the other, the last one at least begins there."""
        if not self._names:
            return []
        root = self._root
        words = words_of(text)
        found = {place for word in set(words) for place in root.tags_of(word)}
        if root.following:
            # Each sequence once: a text may repeat the same few words without end.
            ahead = [words[number:] for number in range(KEYWORD_WORDS)]
            for first, *rest in set(zip_longest(*ahead, fillvalue="")):
                node = root.following.get(first)
                for word in rest:
                    if node is None:
                        break
                    if word[:1] in node.initials:
                        found.update(node.tags_of(word))
                    node = node.following.get(word)
        return list(dict.fromkeys(self._names[place] for place in sorted(found)))

    def _add(self, keyword: list[str], place: int) -> None:
        node = self._root
        for word in keyword[:-1]:
            node = node.following.setdefault(word, _Node())
        for word in keyword[-1:]:
            node.endings.setdefault(word, []).append(place)
            node.initials.add(word[0])
            node.lengths = sorted({*node.lengths, len(word)})
