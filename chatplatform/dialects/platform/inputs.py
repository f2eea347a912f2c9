import re
from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers

from clients.fields import MAX_INTEGER
from messaging.files.content import KINDS, accepted_type
from messaging.files.names import UNSAFE
from messaging.streams.signals import PRESENCE

from ..fields import NOT_BLANK, Boolean, Choice, Count, Input, Integer, Query, Text, parse_uuid
from ..streaming import PresenceStatus, Typing
from .words import ATTRIBUTE, REQUIRED, SELECTED

_NUMERIC = re.compile(r"-?(?:0|[1-9][0-9]{0,15})", re.ASCII)
_ARCHIVED = {"1": True, "true": True, "0": False, "false": False, "all": None}


#: What every field says of a value that is not there.
_ABSENT: dict[str, Any] = {"required": REQUIRED, "null": REQUIRED, "blank": REQUIRED}


class String(Text):
    default_error_messages = {
        **_ABSENT,
        "invalid": f"The {ATTRIBUTE} field must be a string.",
        "max_length": f"The {ATTRIBUTE} field must not be greater than {{max_length}} characters.",
    }

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and "\0" in data:  # from a query string; no body brings one
            self.fail("invalid")
        return super().to_internal_value(data)


class Uuid(String):
    default_error_messages = {**_ABSENT, "invalid": f"The {ATTRIBUTE} field must be a valid UUID."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"}

    def to_internal_value(self, data: Any) -> str:
        parsed = parse_uuid(super().to_internal_value(data))
        if parsed is None:
            self.fail("invalid")
        return parsed


class NumericInteger(Integer):
    """An integer, also as a string; of those that every JSON client can count to."""

    default_error_messages = {**_ABSENT, "invalid": f"The {ATTRIBUTE} field must be an integer."}

    def json_schema(self) -> dict[str, Any]:
        digits = {"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,15})$"}
        blank = {"type": "string", "not": {"pattern": NOT_BLANK}}
        return {"anyOf": [super().json_schema(), digits, blank]}

    def to_internal_value(self, data: Any) -> int:
        value = super().to_internal_value(int(data) if isinstance(data, str) and _NUMERIC.fullmatch(data) else data)
        if abs(value) > MAX_INTEGER:
            self.fail("invalid")
        return value


class QueryInteger(NumericInteger):
    """Everything in a query string is one."""

    def json_schema(self) -> dict[str, Any]:
        return Integer().json_schema()


class Flag(Boolean):
    default_error_messages = {**_ABSENT, "invalid": f"The {ATTRIBUTE} field must be true or false."}


class PageCount(Count):
    default_error_messages = {
        **_ABSENT,
        "invalid": f"The {ATTRIBUTE} field must be an integer.",
        "least": f"The {ATTRIBUTE} field must be at least {{least}}.",
    }


class Archived(serializers.ChoiceField):
    """Archived ones (True), the others (False), or both (None)."""

    default_error_messages = {**_ABSENT, "invalid_choice": SELECTED}

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=list(_ARCHIVED), **options)

    def to_internal_value(self, data: Any) -> Any:
        return _ARCHIVED[super().to_internal_value(data)]


class List(serializers.ListField):
    default_error_messages = {
        **_ABSENT,
        "not_a_list": f"The {ATTRIBUTE} field must be an array.",
        "max_length": f"The {ATTRIBUTE} field must not have more than {{max_length}} items.",
    }


class Body(Input):
    """A blank string is no value, as in Laravel; in the place of a list it is none either, but wrong."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(
            {key: None if self._is_blank(key, value) else value for key, value in data.items()}
        )

    def _is_blank(self, key: str, value: Any) -> bool:
        return isinstance(value, str) and not value.strip() and not isinstance(self.fields.get(key), List)


class Page(Query):
    page = PageCount(default=1)
    per_page = PageCount(default=15, most=100)


class ConversationList(Page):
    archived = Archived(default="0")
    taggable_type = String(required=False, max_length=255, allow_blank=True)
    taggable_id = QueryInteger(required=False)


class NewConversation(Body):
    example: ClassVar = {
        "participant_uuid": "01a1fdcf-4f6b-76a4-9d0a-bc050429baea",
        "taggable_type": "App\\Models\\Order",
        "taggable_id": 123,
    }

    participant_uuid = Uuid()
    taggable_type = String(required=False, max_length=255, allow_blank=True)
    taggable_id = NumericInteger(required=False)


class ConversationChanges(Body):
    example: ClassVar = {"is_archived": True}

    is_archived = Flag()


class NewMessage(Body):
    example: ClassVar = {"text": "The box is on its way."}

    text = String()
    attachments = List(child=Uuid(), required=False, max_length=20)


class FileName(String):
    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if UNSAFE.search(name):
            self.fail("unsafe")
        return name

    default_error_messages = {"unsafe": f"The {ATTRIBUTE} field format is invalid."}


class FileType(String):
    default_error_messages = {"unknown": SELECTED}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(KINDS)}

    def to_internal_value(self, data: Any) -> str:
        announced = super().to_internal_value(data)
        if accepted_type(announced) is None:
            self.fail("unknown")
        return announced


class FileSize(NumericInteger):
    default_error_messages = {"least": f"The {ATTRIBUTE} field must be at least 1."}

    def json_schema(self) -> dict[str, Any]:
        return {**Integer().json_schema(), "minimum": 1, "maximum": settings.UPLOAD_LIMIT}

    def to_internal_value(self, data: Any) -> int:
        size = super().to_internal_value(data)
        if size < 1:
            self.fail("least")
        return size


class NewUpload(Body):
    example: ClassVar = {"filename": "invoice.pdf", "content_type": "application/pdf", "size": 48213}

    filename = FileName(max_length=255)
    content_type = FileType(max_length=255)
    size = FileSize()


class _Status(Choice):
    default_error_messages = {**_ABSENT, "invalid_choice": SELECTED}


class OwnTyping(Typing):
    typing = Flag(default=True)


class OwnPresence(PresenceStatus):
    status = _Status(choices=PRESENCE, default="online")
