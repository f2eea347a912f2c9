"""How well an article fits a question, from 0 to 1. Reckoned here from counts that both databases keep alike, so
that both decide alike."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log

#: Where a word stands, and what that says of the article being about it.
IN_TITLE, IN_KEYWORDS, IN_BODY, OFTEN_IN_BODY = 1.0, 0.85, 0.6, 0.8
#: A word that was taken for another one.
ALIKE = 0.75
#: What a word says that no article has; and how much words that do not fit count against one that does. The more
#: words fit, the less the others count: people tell their story with the question.
UNKNOWN, AGAINST = 0.7, 0.5
#: Evidence that is half of enough by itself.
ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question: its stem or stems taken for it, and what it is worth, 0 to 1."""

    terms: tuple[str, ...]
    worth: float
    is_certain: bool = True


def worth(articles: int, of: int) -> float:
    """Of a word that stands in so many of a client's articles: 1 for one article, towards 0 for all of them."""
    return _rarity(articles, of) / _rarity(1, of)


def _rarity(articles: int, of: int) -> float:
    return log(1 + (of - articles + 0.5) / (articles + 0.5))


def score(
    asked: Sequence[Word], *, title: Collection[str], keywords: Collection[str], text: Mapping[str, int]
) -> float:
    fitting = missing = 0.0
    fit_words = 0
    for word in asked:
        fit = max((_fit(term, title, keywords, text) for term in word.terms), default=0.0)
        fitting += word.worth * fit * (1 if word.is_certain else ALIKE)
        fit_words += fit > 0
        missing += 0 if fit else word.worth
    return round(fitting / (fitting + AGAINST * missing / fit_words + ENOUGH), 4) if fit_words else 0.0


def _fit(term: str, title: Collection[str], keywords: Collection[str], text: Mapping[str, int]) -> float:
    if term in title:
        return IN_TITLE
    if term in keywords:
        return IN_KEYWORDS
    times = text.get(term, 0)
    return 0.0 if not times else IN_BODY if times == 1 else OFTEN_IN_BODY
