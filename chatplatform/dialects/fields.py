"""Input fields that take what the contracts name and nothing that merely looks like it.

DRF's own take a number for a string, `true` for 1, and `"１"` for an integer.
"""

import re
from typing import Any

from rest_framework import serializers

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_SIGNED = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def parse_id(text: str) -> int | None:
    """A positive integer id as it stands in a path, None for any other shape (an unknown id)."""
    return int(text) if _WHOLE.fullmatch(text) and not text.startswith("0") else None


def parse_uuid(text: str) -> str | None:
    """A uuid as the contracts understand it: any 8-4-4-4-12 hexadecimal string."""
    return text.lower() if _UUID.fullmatch(text) else None


class Text(serializers.CharField):
    """A string, kept as it is: not trimmed, nothing converted. Blank ones only with allow_blank."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and not self.allow_blank and not data.strip():
            self.fail("blank")
        return super().run_validation(data)


class Boolean(serializers.Field):
    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class QueryBoolean(Boolean):
    def to_internal_value(self, data: Any) -> bool:
        return super().to_internal_value(_BOOLEANS.get(data))


class Integer(serializers.Field):
    default_error_messages = {"invalid": "A valid integer is required."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class QueryInteger(Integer):
    def to_internal_value(self, data: Any) -> int:
        return super().to_internal_value(int(data) if _SIGNED.fullmatch(data) else data)


class Count(serializers.Field):
    """`limit`, `page`, `offset`: whole, at most 18 digits, not below `least`, clamped to `most`."""

    default_error_messages = {"invalid": "A whole number is required.", "least": "Must be at least {least}."}

    def __init__(self, *, least: int = 1, most: int | None = None, **options: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _WHOLE.fullmatch(data):
            self.fail("invalid")
        value = int(data)
        if value < self.least:
            self.fail("least", least=self.least)
        return min(value, self.most) if self.most else value


class Input(serializers.Serializer[Any]):
    """What a call takes. Unknown fields are ignored; null for an optional field is its default."""

    nulls_are_absent = True

    def to_internal_value(self, data: Any) -> Any:
        if self.nulls_are_absent:
            data = {key: value for key, value in data.items() if value is not None or self._is_required(key)}
        return super().to_internal_value(data)

    def _is_required(self, key: str) -> bool:
        return key in self.fields and self.fields[key].required


class Changes(Input):
    """What an update takes: null is a value there (fields that may be empty say allow_null)."""

    nulls_are_absent = False


class Query(Input):
    """What a list takes in its query string: an empty optional parameter is an absent one."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(
            {key: value for key, value in data.items() if value != "" or self._is_required(key)}
        )


_prototypes: dict[type[Input], Input] = {}


def read(kind: type[Input], data: Any) -> dict[str, Any]:
    """The validated input. Validation keeps no state, so one instance of each kind serves all calls:
    building a serializer's fields anew costs more than running them. Raises ValidationError."""
    prototype = _prototypes.get(kind) or _prototypes.setdefault(kind, kind())
    result: dict[str, Any] = prototype.run_validation(data)
    return result
