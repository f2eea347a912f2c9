"""Statements that are compiled once and run many times.

Building and compiling a queryset costs several times what running it costs. A hot path keeps its
statements here: written with the ORM, with `Param` where a value will stand, and compiled at the
first call, for the database at hand. What comes back went through the fields' own converters.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, models
from django.db.models import Expression, QuerySet
from django.db.models.sql import DeleteQuery, InsertQuery, UpdateQuery

#: Stand for LIMIT and OFFSET while a queryset is built: it takes only numbers there.
_LIMIT, _OFFSET = 987_654_321, 123_456_789


class Param(Expression):
    """A value that comes with the call; `field` says how the database wants it."""

    def __init__(self, name: str, field: Any) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


def integer(name: str) -> Param:
    return Param(name, models.BigIntegerField())


def uuid(name: str) -> Param:
    return Param(name, models.UUIDField())


def moment(name: str) -> Param:
    return Param(name, models.DateTimeField())


class _Statement:
    """SQL with the places of its parameters; compiled at the first use."""

    def __init__(self) -> None:
        self._sql = ""
        self._params: Sequence[Any] = ()

    def _compile(self) -> tuple[str, Sequence[Any]]:
        raise NotImplementedError

    def _execute(self, cursor: Any, values: Mapping[str, Any]) -> None:
        if not self._sql:
            sql, self._params = self._compile()
            self._sql = sql
        cursor.execute(
            self._sql,
            [
                param.output_field.get_db_prep_value(values[param.name], connection)
                if isinstance(param, Param)
                else values[param.name] if isinstance(param, _Number) else param
                for param in self._params
            ],
        )  # fmt: skip


class _Number:
    """LIMIT or OFFSET."""

    def __init__(self, name: str) -> None:
        self.name = name


class Rows(_Statement):
    """A SELECT: `build` answers a queryset (of `values()`, or of instances through `first()`).

    Sliced with `[OFFSET : OFFSET + LIMIT]` (`paged`), the call must bring `limit` and `offset`.
    """

    def __init__(self, build: Callable[[], QuerySet[Any]], *, paged: bool = False) -> None:
        super().__init__()
        self._build, self._paged = build, paged

    def _compile(self) -> tuple[str, Sequence[Any]]:
        rows = self._build()
        if self._paged:
            rows = rows[_OFFSET : _OFFSET + _LIMIT]
        query = rows.query
        self._compiler = compiler = query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if self._paged:
            tail = f"LIMIT {_LIMIT} OFFSET {_OFFSET}"
            if not sql.endswith(tail):
                raise ValueError(f"no LIMIT to fill in: {sql[-80:]}")
            sql = f"{sql.removesuffix(tail)}LIMIT %s OFFSET %s"
            params = (*params, _Number("limit"), _Number("offset"))
        # As Django's own iterables of values() and of instances read them.
        self._names = list(query.selected or [column.target.attname for column, _, _ in compiler.select])
        self._converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        self._model = rows.model
        return sql, tuple(params)

    def tuples(self, **values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            self._execute(cursor, values)
            found: list[Any] = cursor.fetchall()
        if found and self._converters:
            found = list(self._compiler.apply_converters(found, self._converters))
        return found

    def dicts(self, **values: Any) -> list[dict[str, Any]]:
        found = self.tuples(**values)
        return [dict(zip(self._names, row, strict=True)) for row in found]

    def first(self, *extra: str, **values: Any) -> Any:
        """An instance with the columns that were selected (others load when asked for), or None.

        `extra` names columns at the end that are no fields; they become attributes.
        """
        return next(iter(self.all(*extra, **values)), None)

    def all(self, *extra: str, **values: Any) -> list[Any]:
        """As `first`, of every row."""
        found, width = self.tuples(**values), len(self._names) - len(extra)
        names, instances = self._names[:width], []
        for row in found:
            instance = self._model.from_db(connection.alias, names, row[:width])
            for name, value in zip(extra, row[width:], strict=True):
                setattr(instance, name, value)
            instances.append(instance)
        return instances


class Count(Rows):
    """How many rows, counted no further than `cap`."""

    def __init__(self, build: Callable[[], QuerySet[Any]], *, cap: int) -> None:
        super().__init__(lambda: build().order_by().values("pk")[:cap])

    def _compile(self) -> tuple[str, Sequence[Any]]:
        sql, params = super()._compile()
        self._converters = {}
        return f"SELECT COUNT(*) FROM ({sql}) counted", params  # noqa: S608

    def __call__(self, **values: Any) -> int:
        number: int = self.tuples(**values)[0][0]
        return number


class Update(_Statement):
    """An UPDATE: `build` answers a queryset and its columns' new values."""

    def __init__(self, build: Callable[[], tuple[QuerySet[Any], dict[str, Any]]]) -> None:
        super().__init__()
        self._build = build

    def _compile(self) -> tuple[str, Sequence[Any]]:
        rows, columns = self._build()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(columns)
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, tuple(params)

    def __call__(self, **values: Any) -> None:
        with connection.cursor() as cursor:
            self._execute(cursor, values)


class Delete(_Statement):
    """A DELETE of rows that nothing refers to: `build` answers a queryset."""

    def __init__(self, build: Callable[[], QuerySet[Any]]) -> None:
        super().__init__()
        self._build = build

    def _compile(self) -> tuple[str, Sequence[Any]]:
        sql, params = self._build().query.chain(DeleteQuery).get_compiler(connection=connection).as_sql()
        return sql, tuple(params)

    def __call__(self, **values: Any) -> None:
        with connection.cursor() as cursor:
            self._execute(cursor, values)


class Insert:
    """An INSERT of one row of a model; columns not given take the field's default."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model
        self._fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        self._sql = ""

    def __call__(self, **values: Any) -> int:
        """Answers the new row's id."""
        if not self._sql:
            query = InsertQuery(self._model)
            query.insert_values(self._fields, [self._model()])
            compiler = query.get_compiler(connection=connection)
            compiler.returning_fields = [self._model._meta.pk]
            [(self._sql, _)] = compiler.as_sql()
        with connection.cursor() as cursor:
            cursor.execute(self._sql, self._row(values))
            [identifier] = cursor.fetchone()
        return int(identifier)

    def many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """All in one statement; their number is part of it, so not too many different ones."""
        if not rows:
            return
        table, columns = self._model._meta.db_table, ", ".join(f'"{field.column}"' for field in self._fields)
        row = f"({', '.join(['%s'] * len(self._fields))})"
        sql = f'INSERT INTO "{table}" ({columns}) VALUES {", ".join([row] * len(rows))}'  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for values in rows for value in self._row(values)])

    def _row(self, values: Mapping[str, Any]) -> list[Any]:
        if unknown := values.keys() - {field.attname for field in self._fields}:
            raise TypeError(f"{self._model.__name__} has no columns {unknown}")
        return [
            field.get_db_prep_save(
                values[field.attname] if field.attname in values else field.get_default(), connection
            )
            for field in self._fields
        ]
