"""Column types and checks that both databases agree on."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput

from chatplatform.errors import Invalid

MAX_INTEGER = 2**53 - 1  # what every JSON client can count to
MAX_DEPTH = 20
# Of metadata and other objects that callers fill (contract `behaviour.md`).
MAX_METADATA_DEPTH = 5
MAX_METADATA_BYTES = 16 * 1024
#: What each change of a conversation's state writes into its metadata.
OWN_METADATA = frozenset({"state_changed_at", "previous_state"})


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
                if not math.isfinite(item) or abs(item) > MAX_INTEGER:
                    return "numbers must be finite, between -(2^53-1) and 2^53-1"
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


def metadata_problem(value: Any) -> str | None:
    """What keeps `value` from being metadata, or None. What we write into it ourselves does not count."""
    if problem := json_problem(value, MAX_METADATA_DEPTH):
        return problem
    given = {k: v for k, v in value.items() if not _is_ours(k, v)} if isinstance(value, dict) else value
    size = len(json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode())
    return "larger than 16 KiB" if size > MAX_METADATA_BYTES else None


def _is_ours(key: str, value: Any) -> bool:
    return key in OWN_METADATA and isinstance(value, str) and len(value) <= 30


def own_entries(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What we wrote into it ourselves."""
    return {key: value for key, value in metadata.items() if _is_ours(key, value)}


def merged(metadata: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata after a change: keys are added and replaced, those given as null go. Raises Invalid."""
    whole = {key: value for key, value in {**metadata, **changes}.items() if key not in changes or value is not None}
    if whole != metadata and (problem := metadata_problem(whole)):
        raise Invalid("Validation error", fields={"metadata": [problem]})
    return whole


class _StrictJSONFormField(forms.JSONField):
    """What a form may bring: the same as a dialect's body. What it may not is shown again as it came."""

    is_object = False

    def to_python(self, value: Any) -> Any:
        try:
            data = super().to_python(value)
        except RecursionError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": "…"}) from error
        problem = json_problem(data)
        if problem is None and self.is_object and not isinstance(data, dict | None):
            problem = "must be an object"
        if problem:
            raise ValidationError(problem)
        return {} if data is None and self.is_object else data

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            shown = super().bound_data(data, initial)
        except RecursionError:
            return InvalidJSONInput(data)
        return InvalidJSONInput(data) if json_problem(shown) else shown


class _StrictJSONObjectFormField(_StrictJSONFormField):
    is_object = True


class StrictJSONField(models.JSONField):
    """JSON that both databases keep alike; what PostgreSQL would refuse never reaches SQLite."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if not hasattr(value, "resolve_expression") and (problem := json_problem(value)):
            raise ValidationError({self.name: [problem]})
        return super().get_db_prep_save(value, connection)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        problem = metadata_problem(value) if self.default is dict else json_problem(value)
        if problem:
            raise ValidationError(problem)

    def formfield(self, **kwargs: Any) -> Any:
        form_class = _StrictJSONObjectFormField if self.default is dict else _StrictJSONFormField
        return super().formfield(**{"form_class": form_class, **kwargs})
