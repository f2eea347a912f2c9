"""A question's articles, the best first: at most five statements, however many articles there are."""

from dataclasses import dataclass

from django.db.models import Count, Q

from chatplatform.db.textindex import Matches, Wanted

from ..models import Article, ArticleTerm
from .indexing import mark, unmarked
from .likeness import SHORTEST, alike
from .passages import passage
from .scoring import UNKNOWN, Word, score, worth
from .words import spoken_in, stems_of, telling, words_of_question

#: Articles that are looked at one by one; unknown words that may be misspelt ones, and neighbours of them.
CANDIDATES, MISSPELT, NEIGHBOURS = 300, 12, 5000
#: Hits that a caller gets.
BEST = 3
#: Below this an article does not answer the question (measured: docs/knowledge.md).
THRESHOLD = 0.52


@dataclass(frozen=True, slots=True)
class Hit:
    article: Article
    score: float
    passage: str


def retrieve(client_id: int, question: str) -> list[Hit] | None:
    """Of the published articles; None where there are none at all."""
    rows = Article.objects.for_client(client_id).published().order_by()
    sizes = dict(rows.values_list("language").annotate(Count("pk")))
    if not sizes:
        return None
    asked, counts = _words(client_id, words_of_question(question), sizes)
    found = sorted(_scored(client_id, rows, asked, counts), key=lambda one: (-one[0], one[1].pk))[:BEST]
    bodies = dict(rows.filter(pk__in=[row.pk for _, row in found]).values_list("pk", "body")) if found else {}
    return [
        Hit(row, points, passage(bodies[row.pk], row.language, asked[row.language]))
        for points, row in found
        if row.pk in bodies  # else deleted at this moment
    ]


def _words(
    client_id: int, said: list[str], sizes: dict[str, int]
) -> tuple[dict[str, list[Word]], dict[tuple[str, str], int]]:
    """What is asked, as each language of the articles has it; and in how many articles each of the terms is."""
    stemmed = {language: telling(said, language) for language in sorted(sizes)}
    terms = ArticleTerm.objects.for_client(client_id).order_by()
    wanted = Q()
    for language, words in stemmed.items():
        wanted |= Q(language=language, term__in=[word for word in words if not word.isdecimal()])
    counts = {(language, term): count for language, term, count in terms.filter(wanted).values_list(*_COUNTED)}
    # A word is taken for another one in the language that is spoken: in the others every word is unknown.
    spoken = max(
        stemmed,
        key=lambda one: (spoken_in(said, one) + sum((one, word) in counts for word in stemmed[one]), sizes[one]),
    )
    unknown = [
        word
        for word in stemmed[spoken]
        if (spoken, word) not in counts and len(word) >= SHORTEST and not any(map(str.isdigit, word))
    ]
    meant = _meant(terms, spoken, unknown)
    asked: dict[str, list[Word]] = {}
    for language, words in stemmed.items():
        asked[language] = []
        for word in words:
            if word.isdecimal():  # an order's number, say: it says what is meant, and fits no article
                asked[language].append(Word((), UNKNOWN))
                continue
            likely = meant.get(word, {}) if language == spoken else {}
            counts.update({(language, term): count for term, count in likely.items()})
            among = list(likely) or [word]
            known = [counts[language, term] for term in among if (language, term) in counts]
            asked[language].append(
                Word(tuple(among), worth(min(known), sizes[language]) if known else UNKNOWN, not likely)
            )
    return asked, counts


_COUNTED = ("language", "term", "articles")


def _meant(terms: "object", language: str, unknown: list[str]) -> dict[str, dict[str, int]]:
    """The terms that each word may be meant to be, with their counts."""
    if not unknown:
        return {}
    heads = {word: {word[:2], word[1::-1]} for word in unknown[:MISSPELT]}
    rows = terms.filter(language=language, head__in=set().union(*heads.values()))  # type: ignore[attr-defined]
    near: dict[str, dict[str, int]] = {}
    for head, term, count in rows.order_by("-articles", "term").values_list("head", "term", "articles")[:NEIGHBOURS]:
        near.setdefault(head, {})[term] = count
    found = {}
    for word, its in heads.items():
        terms_near = {term: count for head in its for term, count in near.get(head, {}).items()}
        found[word] = {term: terms_near[term] for term in alike(word, terms_near.items())}
    return found


def _scored(
    client_id: int, rows: "object", asked: dict[str, list[Word]], counts: dict[tuple[str, str], int]
) -> list[tuple[float, Article]]:
    wanted, is_all = _wanted(client_id, counts)
    if wanted is None:
        return []
    matching = rows.filter(Matches("search", wanted))  # type: ignore[attr-defined]
    if not is_all:
        matching = matching.order_by("pk")[:CANDIDATES]
    found = []
    for row in matching.defer(None).only("pk", "kind", "client_id", "language", "title", "keywords", "search"):
        title, keywords = (frozenset(stems_of(text, row.language)) for text in (row.title, row.keywords))
        points = score(
            asked[row.language], title=title, keywords=keywords, text=unmarked(row.search, client_id, row.language)
        )
        if points:
            found.append((points, row))
    return found


def _wanted(client_id: int, counts: dict[tuple[str, str], int]) -> tuple[Wanted | None, bool]:
    """Which articles are looked at: those with the rarest words, as long as they are few; where even those are
    many, such as have all of the words (or of the rarest three), the oldest of them."""
    rarest = sorted(counts, key=lambda term: (counts[term], term))
    chosen, total = [], 0
    for term in rarest:
        total += counts[term]
        if total > CANDIDATES:
            break
        chosen.append(term)
    if not rarest:
        return None, True
    together = [term for term in rarest if term[0] == rarest[0][0]][:3]
    phrases = tuple((mark(client_id, language) + term,) for language, term in chosen or together)
    return (Wanted(some=phrases), True) if chosen else (Wanted(every=phrases), False)
