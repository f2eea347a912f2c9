"""Column types and checks that both databases agree on."""

import math
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

MAX_INTEGER = 2**53 - 1  # what every JSON client can count to
MAX_DEPTH = 20


def json_problem(value: Any, max_depth: int = MAX_DEPTH) -> str | None:
    """What keeps `value` from being stored alike everywhere, or None: NUL characters and lone
    surrogates (jsonb refuses them), integers and floats out of range, nesting over `max_depth`."""
    level: Iterator[Any] = iter((value,))
    depth = 0
    while True:
        following: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if "\0" in item:
                    return "NUL characters are not allowed"
                if not item.isascii() and _lone_surrogate(item):
                    return "lone surrogates are not allowed"
            elif isinstance(item, bool) or item is None:
                pass
            elif isinstance(item, int):
                if not -MAX_INTEGER <= item <= MAX_INTEGER:
                    return "integers must be between -(2^53-1) and 2^53-1"
            elif isinstance(item, float):
                if not math.isfinite(item):
                    return "numbers must be finite"
            elif isinstance(item, dict):
                following.append(item)
            elif isinstance(item, list | tuple):
                following.append(item)
            else:
                return f"{type(item).__name__} is not a JSON type"
        if not following:
            return None
        depth += 1
        if depth > max_depth:
            return f"nested deeper than {max_depth} levels"
        level = (part for box in following for part in _parts(box))


def _parts(box: Any) -> Iterator[Any]:
    if isinstance(box, dict):
        yield from box.keys()
        yield from box.values()
    else:
        yield from box


def _lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class StrictJSONField(models.JSONField):
    """JSON that both databases keep alike; what PostgreSQL would refuse never reaches SQLite."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if not hasattr(value, "resolve_expression") and (problem := json_problem(value)):
            raise ValidationError({self.name: [problem]})
        return super().get_db_prep_save(value, connection)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        if problem := json_problem(value):
            raise ValidationError(problem)
