"""Input fields that take what the contracts name and nothing that merely looks like it.

DRF's own take a number for a string, `true` for 1, and `"１"` for an integer.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from rest_framework import serializers

from clients.fields import MAX_INTEGER, metadata_problem
from clients.phones import PHONE, phone_digits

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_SIGNED = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_WEB = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#\\\x00-\x1f\x7f]+[^\s\\\x00-\x1f\x7f]*")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
#: Some character that `str.strip` leaves: what `\s` is differs between regular expressions.
NOT_BLANK = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def parse_id(text: str) -> int | None:
    """A positive integer id as it stands in a path, None for any other shape (an unknown id)."""
    return int(text) if _WHOLE.fullmatch(text) and not text.startswith("0") else None


def parse_uuid(text: str) -> str | None:
    """A uuid as the contracts understand it: any 8-4-4-4-12 hexadecimal string."""
    return text.lower() if _UUID.fullmatch(text) else None


class Text(serializers.CharField):
    """A string, kept as it is: not trimmed, nothing converted. Blank ones only with allow_blank."""

    def json_schema(self) -> dict[str, Any]:
        longest = {} if self.max_length is None else {"maxLength": self.max_length}
        return {"type": "string", **({} if self.allow_blank else {"minLength": 1, "pattern": NOT_BLANK}), **longest}

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

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class QueryBoolean(Boolean):
    def to_internal_value(self, data: Any) -> bool:
        return super().to_internal_value(_BOOLEANS.get(data))


class Integer(serializers.Field):
    default_error_messages = {"invalid": "A valid integer is required."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class QueryInteger(Integer):
    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**18 - 1}

    def to_internal_value(self, data: Any) -> int:
        return super().to_internal_value(int(data) if _SIGNED.fullmatch(data) else data)


class Phone(serializers.Field):
    """E.164: 1 to 15 digits not beginning with 0, as a number or a string (a leading + allowed)."""

    default_error_messages = {"invalid": "A phone number of 1 to 15 digits is required."}

    def json_schema(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}
        return {"anyOf": [number, {"type": "string", "pattern": f"^{PHONE}$"}]}

    def to_internal_value(self, data: Any) -> str:
        text = str(data) if isinstance(data, int) and not isinstance(data, bool) else data
        digits = phone_digits(text) if isinstance(text, str) else None
        if digits is None:
            self.fail("invalid")
        return digits


class Count(serializers.Field):
    """`limit`, `page`, `offset`: whole, at most 18 digits, not below `least`, clamped to `most`."""

    default_error_messages = {"invalid": "A whole number is required.", "least": "Must be at least {least}."}

    def __init__(self, *, least: int = 1, most: int | None = None, **options: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": 10**18 - 1}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _WHOLE.fullmatch(data):
            self.fail("invalid")
        value = int(data)
        if value < self.least:
            self.fail("least", least=self.least)
        return min(value, self.most) if self.most else value


class Between(Count):
    """A whole number in a query string that is refused, not clamped, beyond `most`."""

    default_error_messages = {"most": "Must be at most {most}."}

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        self.highest = most
        super().__init__(least=least, **options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.highest}

    def to_internal_value(self, data: Any) -> int:
        value = super().to_internal_value(data)
        if value > self.highest:
            self.fail("most", most=self.highest)
        return value


class Choice(serializers.ChoiceField):
    """One of these strings, and nothing that is merely printed like one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Number(serializers.Field):
    """A JSON number between two others."""

    default_error_messages = {
        "invalid": "A number is required.",
        "range": "Must be between {least} and {most}.",
    }

    def __init__(self, *, least: float, most: float, **options: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.least, "maximum": self.most}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if not self.least <= data <= self.most:
            self.fail("range", least=self.least, most=self.most)
        return data


class WebAddress(Text):
    """An http or https URL with a host."""

    default_error_messages = {"url": "An http or https URL is required."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2000, **options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uri", "pattern": _WEB.pattern, "maxLength": 2000}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            fits = _WEB.fullmatch(text) is not None and bool(urlsplit(text).hostname)
        except ValueError:  # a bracket of IPv6 that nothing closes
            fits = False
        if not fits:
            self.fail("url")
        return text


class QueryTime(serializers.Field):
    """A date or a time of ISO 8601; without a zone it is UTC."""

    default_error_messages = {"invalid": "A date or time like 2024-01-15T10:30:00Z is required."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def to_internal_value(self, data: Any) -> datetime:
        try:
            at = datetime.fromisoformat(data)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")


class Metadata(serializers.Field):
    """An object that the caller fills, within the limits of `behaviour.md`."""

    default_error_messages = {"invalid": "Must be an object.", "limits": "The metadata is not acceptable: {problem}."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        if problem := metadata_problem(data):
            self.fail("limits", problem=problem)
        return data


class Input(serializers.Serializer[Any]):
    """What a call takes. Unknown fields are ignored; null for an optional field is its default."""

    nulls_are_absent = True
    #: What the fields together must fulfil, in the words of JSON Schema.
    json_schema_extra: ClassVar[Mapping[str, Any]] = {}
    #: Whether the call may come without a body.
    may_be_absent: ClassVar[bool] = False
    #: A body that shows what the call takes.
    example: ClassVar[Mapping[str, Any] | None] = None

    def to_internal_value(self, data: Any) -> Any:
        if self.nulls_are_absent and isinstance(data, dict):
            data = {key: value for key, value in data.items() if value is not None or self._is_required(key)}
        return super().to_internal_value(data)

    def _is_required(self, key: str) -> bool:
        return key in self.fields and self.fields[key].required


class Changes(Input):
    """What an update takes: null is a value there (fields that may be empty say allow_null). Without a body,
    as with an empty one, nothing changes."""

    nulls_are_absent = False
    may_be_absent = True


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
