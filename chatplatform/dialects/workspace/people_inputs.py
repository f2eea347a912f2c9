"""What the calls of contacts, agents and users take."""

from typing import Any, ClassVar

from rest_framework import serializers

from clients.checks import OWN_ID, QUEUE_LENGTH, validate_own_id

from ..fields import Boolean, Changes, Input, Metadata, Phone, QueryBoolean, Text
from .paging import Page

_KINDS = ["human", "ai"]


class OwnId(Text):
    """An id of the workspace's own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, validators=[validate_own_id], **options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": 64, "pattern": OWN_ID}


class Email(Text):
    """Judged by the store; `format` tells client programs what it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=255, **options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "email", "minLength": 3, "maxLength": 255}


class QueryPhone(Phone):
    """Where `+` is not encoded, a query string has a space in its place."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[+ ]?[1-9][0-9]{0,14}$"}

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data.strip(" "))


class KindField(serializers.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=_KINDS, **options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class ContactList(Page):
    search = Text(required=False, max_length=255)
    phone = QueryPhone(required=False)
    email = Text(required=False, max_length=255)


class NewContact(Input):
    example: ClassVar = {"name": "Nadia Fauzi", "phone": "12025550142"}

    id = OwnId(required=False)
    name = Text(max_length=255)
    phone = Phone(required=False)
    email = Email(required=False)
    metadata = Metadata(required=False)


class ContactChanges(Changes):
    example: ClassVar = {"email": "nadia.fauzi@example.com"}

    name = Text(max_length=255, required=False)
    phone = Phone(required=False, allow_null=True)
    email = Email(required=False, allow_null=True)
    metadata = Metadata(required=False, allow_null=True)


class _Queues(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=Text(max_length=QUEUE_LENGTH), max_length=100, **options)


class AgentList(Page):
    kind = KindField(required=False)
    is_active = QueryBoolean(required=False)


class NewAgent(Input):
    example: ClassVar = {"name": "Bruno Sá", "queue": "billing"}

    id = OwnId(required=False)
    name = Text(max_length=255)
    kind = KindField(default="human")
    queue = Text(max_length=QUEUE_LENGTH, required=False)
    queues = _Queues(required=False)


class AgentChanges(Changes):
    example: ClassVar = {"queue": "shipping"}

    name = Text(max_length=255, required=False)
    kind = KindField(required=False)
    queue = Text(max_length=QUEUE_LENGTH, required=False, allow_null=True)
    queues = _Queues(required=False, allow_null=True)
    is_active = Boolean(required=False)


class UserList(Page):
    email = Text(required=False, max_length=255)
    external_id = Text(required=False, max_length=64)
    is_active = QueryBoolean(required=False)


class NewUser(Input):
    example: ClassVar = {"name": "Nadia Fauzi", "email": "nadia.fauzi@example.com"}

    name = Text(max_length=255)
    email = Email()
    external_id = OwnId(required=False)
    password = Text(required=False, max_length=1024)


class UserChanges(Changes):
    example: ClassVar = {"name": "Nadia F."}

    name = Text(max_length=255, required=False)
    email = Email(required=False)
    external_id = OwnId(required=False, allow_null=True)
    password = Text(required=False, max_length=1024)
    is_active = Boolean(required=False)
