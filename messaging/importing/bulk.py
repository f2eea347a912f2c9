"""Many rows at once, several times as fast as `bulk_create`: COPY on PostgreSQL, one prepared INSERT on SQLite."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from django.db import connection, models

_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.ForeignKey)


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Inserts rows of these columns; every other column gets its default, which must be a constant.

    Values are taken as they are, checked by nobody but the database.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
    rest = fields.keys() - set(columns)
    names = ", ".join(connection.ops.quote_name(str(fields[name].column)) for name in chain(columns, rest))
    table = connection.ops.quote_name(model._meta.db_table)
    whole = _whole_rows([fields[name] for name in columns], [_constant(fields[name]) for name in rest], rows)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in whole:
                    copy.write_row(row)
        else:
            places = ", ".join(repeat("%s", len(fields)))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", whole)  # type: ignore[arg-type] # noqa: S608


def _whole_rows(
    fields: Sequence["models.Field[Any, Any]"], constants: Sequence[Any], rows: Iterable[Sequence[Any]]
) -> Iterator[list[Any]]:
    prepared = [
        (place, field.get_db_prep_save) for place, field in enumerate(fields) if not isinstance(field, _AS_THEY_ARE)
    ]
    for row in rows:
        whole = [*row, *constants]
        for place, prepare in prepared:
            whole[place] = prepare(whole[place], connection)
        yield whole


def _constant(field: "models.Field[Any, Any]") -> Any:
    default = field.get_default()
    return json.dumps(default) if isinstance(field, models.JSONField) else field.get_db_prep_save(default, connection)
