"""Conditions of compiled statements (prepared.py) whose values are many."""

import json
from typing import Any

from django.db import models
from django.db.models import BooleanField, F, Func

from .prepared import Param


class _Numbers(models.Field[Any, Any]):
    """Integers in one parameter."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))


class _Each(Param):
    """Those of a parameter."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "ANY(%s::bigint[])", [self]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "(SELECT value FROM json_each(%s))", [self]


class Among(Func):
    """Whether a column is one of the numbers that come with the call: one statement, however many they are."""

    template, arg_joiner = "(%(expressions)s)", " = "
    output_field = BooleanField()

    def __init__(self, column: str, name: str) -> None:
        super().__init__(F(column), _Each(name, _Numbers()))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        return super().as_sql(compiler, connection, arg_joiner=" IN ", **context)  # type: ignore[no-any-return]
