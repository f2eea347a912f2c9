"""The words that an article is found by, and the count of them in a client's articles."""

from collections import Counter
from collections.abc import Iterable, Iterator

from django.db.models import F

from chatplatform.db.textindex import counted_words

from ..models import Article, ArticleTerm
from .words import stems_of

#: Of an article's stems so many are kept: those that both databases know the places of.
MOST = 16_000
_AT_ONCE = 5000

Term = tuple[str, str]  # language, stem


def mark(client_id: int, language: str) -> str:
    """What each word begins with in the index, so that one of another client or language is another word: however
    much others have, it costs this client nothing."""
    return f"{client_id}{language}"


def words_of(row: Article) -> list[str]:
    """None of one that is not to be found. (Not NULL: SQLite's index has as many rows as the table.)"""
    if not row.is_published:
        return []
    return stems_of("\n".join((row.title, row.keywords, row.body)), row.language)[:MOST]


def index(rows: Iterable[Article], before: Iterable[Term]) -> None:
    """Gives the rows their words, and counts those instead of what they had `before`. The client is locked."""
    moved: Counter[Term] = Counter()
    client_id = None
    for row in rows:
        client_id, words, begin = row.client_id, words_of(row), mark(row.client_id, row.language)
        row.search = [begin + word for word in words]  # type: ignore[assignment]
        moved.update((row.language, word) for word in set(words))
    moved.subtract(before)
    if client_id is not None:
        count(client_id, moved)


def stored_terms(rows: Iterable[Article]) -> Iterator[Term]:
    """What the rows are counted with as the database has them."""
    stored = Article.objects.filter(pk__in=[row.pk for row in rows]).order_by()
    for client_id, language, words in stored.values_list("client_id", "language", "search"):
        yield from ((language, word) for word in unmarked(words, client_id, language))


def unmarked(stored: str | None, client_id: int, language: str) -> dict[str, int]:
    """How often each word stands in a stored form."""
    begin = len(mark(client_id, language))
    return {word[begin:]: times for word, times in counted_words(stored).items()}


def forget(client_id: int, terms: Iterable[Term]) -> None:
    """Of an article that goes."""
    gone: Counter[Term] = Counter()
    gone.subtract(terms)
    count(client_id, gone)


def count(client_id: int, moved: "Counter[Term]") -> None:
    by_language: dict[str, dict[str, int]] = {}
    for (language, word), more in moved.items():
        if more:
            by_language.setdefault(language, {})[word] = more
    for language, words in by_language.items():
        for part in _parts(sorted(words)):
            _count(client_id, language, {word: words[word] for word in part})


def _count(client_id: int, language: str, moved: dict[str, int]) -> None:
    rows = ArticleTerm.objects.for_client(client_id).filter(language=language)
    known = dict(rows.filter(term__in=moved).values_list("term", "pk"))
    by_step: dict[int, list[int]] = {}
    for word, pk in known.items():
        by_step.setdefault(moved[word], []).append(pk)
    for step, pks in by_step.items():
        ArticleTerm.objects.filter(pk__in=pks).update(articles=F("articles") + step)
    if any(step < 0 for step in by_step):
        rows.filter(articles=0).delete()
    ArticleTerm.objects.bulk_create(
        ArticleTerm(client_id=client_id, language=language, term=word, head=word[:2], articles=more)
        for word, more in moved.items()
        if word not in known and more > 0
    )


def _parts(words: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(words), _AT_ONCE):
        yield words[start : start + _AT_ONCE]
