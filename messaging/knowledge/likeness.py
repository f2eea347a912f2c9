"""What a word that no article has may mean: one that is misspelt, or another form of it."""

from collections.abc import Iterable

#: Shorter words have too many neighbours.
SHORTEST = 4
#: Letters that two forms of one word share at least at their beginning, and which share of the longer one that is.
_STEM, _SHARE = 6, 0.7
_KEPT = 3


def alike(word: str, terms: Iterable[tuple[str, int]]) -> list[str]:
    """The nearest of the terms (with their counts): the most alike first, of those the commonest."""
    most = 1 if len(word) < 8 else 2
    found = []
    for term, count in terms:
        if len(term) < SHORTEST - 1 or term[0].isdigit():
            continue
        steps = distance(word, term, most)
        if steps <= most:
            found.append((steps, -count, term))
        elif _same_stem(word, term):
            found.append((most + 1, -count, term))
    return [term for _steps, _count, term in sorted(found)[:_KEPT]]


def _same_stem(one: str, other: str) -> bool:
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= _STEM and shared >= _SHARE * max(len(one), len(other))


def distance(one: str, other: str, most: int) -> int:
    """Letters put in, left out, mistaken or swapped with their neighbour; above `most`, any number above it."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        last, before, row = before, row, [i]
        for j, its in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
