"""A column of words that each database looks up by its own index: a tsvector with GIN on PostgreSQL, FTS5 on
SQLite. The words come folded and stemmed, so that both find the same.

    class Article(models.Model):
        search = IndexedText()                       # Article.search = ["how", "return", ...]

    migrations: AddField(…), then AddTextIndex("article", "search")
    Article.objects.filter(Matches("search", wanted)).order_by(Rank("search", wanted).desc())
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from django.db import DatabaseError, connection, models
from django.db.models import BooleanField, F, FloatField, Func

#: PostgreSQL knows the place of no later word; those are found, but are in no phrase.
_LAST_PLACE = 16_383
#: As PostgreSQL writes a word of a tsvector, with its places.
_LEXEME = re.compile(r"'([^']+)'(:[0-9,]+)?")

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: with every phrase of `every`, one of `some` (if there are any), and none of `none`.

    A phrase is words that stand one after the other; a single word is one too. `every` or `some` has one.
    """

    every: tuple[Phrase, ...] = ()
    some: tuple[Phrase, ...] = ()
    none: tuple[Phrase, ...] = ()

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        return (*self.every, *self.some)

    def tsquery(self) -> str:
        def phrase(words: Phrase) -> str:
            return "(" + " <-> ".join(f"'{word}'" for word in words) + ")"

        parts = [phrase(words) for words in self.every]
        if self.some:
            parts.append("(" + " | ".join(phrase(words) for words in self.some) + ")")
        return " & ".join([*parts, *(f"!{phrase(words)}" for words in self.none)])

    def fts5(self) -> str:
        def phrase(words: Phrase) -> str:
            return '"' + " ".join(words) + '"'

        parts = [phrase(words) for words in self.every]
        if self.some:
            parts.append("(" + " OR ".join(phrase(words) for words in self.some) + ")")
        found = f"({' AND '.join(parts)})"
        return f"{found} NOT ({' OR '.join(phrase(words) for words in self.none)})" if self.none else found


class IndexedText(models.Field):  # type: ignore[type-arg]
    """The words of a row, in their order; None where they are not known yet. Reading it gives the database's form."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"null": True, "editable": False, **options})

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or isinstance(value, str):
            return value
        return vector(value) if connection.vendor == "postgresql" else " ".join(value)

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"


def vector(words: Sequence[str]) -> str:
    """As PostgreSQL reads a tsvector. Words have no quotes and no spaces."""
    places: dict[str, str] = {}
    for place, word in enumerate(words[:_LAST_PLACE], start=1):
        known = places.get(word)
        places[word] = f"{known},{place}" if known else f"'{word}':{place}"
    return " ".join([*places.values(), *(f"'{word}'" for word in set(words[_LAST_PLACE:]) if word not in places)])


def _literal(tsquery: str) -> str:
    """Stands in the statement itself: a plan made once for any words would know nothing of how rare these are."""
    if any(char in tsquery for char in "\\\0"):
        raise ValueError(tsquery)
    quoted = tsquery.replace("'", "''").replace("%", "%%")
    return f"'{quoted}'::tsquery"


def counted_words(stored: str | None) -> dict[str, int]:
    """How often each word stands in a stored form; on PostgreSQL, at most 255 times."""
    if connection.vendor == "sqlite":
        return dict(Counter((stored or "").split()))
    return {word: max(1, places.count(",") + 1) for word, places in _LEXEME.findall(stored or "")}


class Matches(Func):
    """Whether a row's words are as wanted.

    `walk`: looked at row by row, where other conditions leave few rows; else by the index. `since`: no row
    with a smaller id is wanted, which saves SQLite the others.
    """

    conditional = True
    output_field = BooleanField()

    def __init__(self, column: str, wanted: Wanted, *, walk: bool = False, since: int = 0) -> None:
        super().__init__(F(column), F("pk"))
        self.wanted, self.walk, self.since = wanted, walk, since

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        column, _pk = self.get_source_expressions()
        sql, params = compiler.compile(column)
        if self.walk:  # an expression that no index has
            sql = f"COALESCE({sql}, ''::tsvector)"
        return f"{sql} @@ {_literal(self.wanted.tsquery())}", params

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        column, pk = self.get_source_expressions()
        sql, params = compiler.compile(pk)
        index = f'"{index_name(column.target.model, column.target)}"'  # type: ignore[attr-defined]
        found = f"SELECT rowid FROM {index} WHERE {index} MATCH %s AND rowid >= %s"  # noqa: S608 - a name of ours
        return f"{sql} IN ({found})", (*params, self.wanted.fts5(), self.since)


class Rank(Func):
    """How well a row that matches does so: more of the words, in a shorter text."""

    output_field = FloatField()

    def __init__(self, column: str, wanted: Wanted) -> None:
        super().__init__(F(column))
        self.wanted = wanted

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        sql, params = compiler.compile(self.get_source_expressions()[0])
        every = Wanted(some=self.wanted.phrases).tsquery()
        return f"ts_rank({sql}, {_literal(every)}, 1)", params

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(self.get_source_expressions()[0])
        return f"TEXT_RANK({sql}, %s)", (*params, "|".join(" ".join(words) for words in self.wanted.phrases))


def text_rank(words: str | None, phrases: str) -> float:
    """PostgreSQL's `ts_rank` with normalization 1, for SQLite: of each phrase the first time counts most."""
    text = f" {words or ''} "
    score = 0.0
    for phrase in phrases.split("|"):
        times = text.count(f" {phrase} ")
        score += sum(1 / number**2 for number in range(1, min(times, 50) + 1))
    return score / (1 + log(text.count(" ")))


def index_name(model: type[models.Model], field: Any) -> str:
    return f"{model._meta.db_table}_{field.column}"


def differing(model: type[models.Model], column: str, words: dict[int, Sequence[str]]) -> list[int]:
    """The ids among these whose stored words are not the given ones."""
    field: Any = model._meta.get_field(column)
    forms = {pk: field.get_db_prep_value(given, connection) for pk, given in words.items()}
    if connection.vendor == "sqlite":
        stored = model._base_manager.filter(pk__in=forms).values_list("pk", column)
        return [pk for pk, form in stored if form != forms[pk]]
    sql = (
        f'SELECT id FROM "{model._meta.db_table}" '  # noqa: S608 - names of ours
        "JOIN unnest(%s::bigint[], %s::text[]) AS given (id, words) USING (id) "
        f'WHERE "{field.column}" IS DISTINCT FROM given.words::tsvector'
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(forms), list(forms.values())])
        return [pk for (pk,) in cursor.fetchall()]


def store(model: type[models.Model], column: str, words: dict[int, Sequence[str]]) -> None:
    """Writes the words of these rows."""
    field: Any = model._meta.get_field(column)
    forms = {pk: field.get_db_prep_value(given, connection) for pk, given in words.items()}
    table = f'UPDATE "{model._meta.db_table}"'
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(
                f'{table} SET "{field.column}" = %s WHERE id = %s', [(form, pk) for pk, form in forms.items()]
            )
            return
        cursor.execute(
            f'{table} AS stored SET "{field.column}" = given.words::tsvector '
            "FROM unnest(%s::bigint[], %s::text[]) AS given (id, words) WHERE stored.id = given.id",
            [list(forms), list(forms.values())],
        )


def is_sound(model: type[models.Model], column: str) -> bool:
    """Whether the index has what the rows have: SQLite's is a table apart, which could be damaged apart."""
    try:
        _command(model, column, "rank", "'integrity-check', 1")
    except DatabaseError:
        return False
    return True


def rebuild(model: type[models.Model], column: str) -> None:
    """SQLite: the index anew from what the rows have; nobody else writes meanwhile."""
    _command(model, column, None, "'rebuild'")


def merge(model: type[models.Model], column: str) -> None:
    """SQLite: what was deleted leaves the index for good (elsewhere the database's own cleaning does that)."""
    _command(model, column, None, "'optimize'")


def _command(model: type[models.Model], column: str, more: str | None, values: str) -> None:
    """FTS5 takes its orders as rows; PostgreSQL needs none."""
    if connection.vendor != "sqlite":
        return
    name = index_name(model, model._meta.get_field(column))
    columns = f'"{name}", {more}' if more else f'"{name}"'
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{name}" ({columns}) VALUES ({values})')  # noqa: S608 - names of ours
