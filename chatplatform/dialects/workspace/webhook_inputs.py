"""What the calls of webhooks take."""

from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from messaging.webhooks.kinds import KINDS
from messaging.webhooks.secrets import LONGEST, PREFIX

from ..fields import Boolean, Changes, Choice, Input, QueryTime, Text, WebAddress
from .paging import Page

STATES = ("pending", "delivered", "failed")


class _Events(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=Choice(choices=KINDS), min_length=1, max_length=len(KINDS), **options)


class _Secret(Text):
    """Its form is the action's to check, which says what it must be."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=2 * LONGEST, **options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{PREFIX}[A-Za-z0-9+/]{{32,88}}={{0,2}}$"}


class _Time(QueryTime):
    """As it stands in a body."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NewWebhook(Input):
    example: ClassVar = {"url": "https://hooks.example.com/chat", "events": ["conversation.message.created"]}

    url = WebAddress()
    events = _Events(required=False)
    enabled = Boolean(required=False)
    secret = _Secret(required=False)


class WebhookChanges(Changes):
    """`events`: null are all again."""

    example: ClassVar = {"enabled": False}

    url = WebAddress(required=False)
    events = _Events(required=False, allow_null=True)
    enabled = Boolean(required=False)
    secret = _Secret(required=False)


class WebhookList(Page):
    pass


class DeliveryList(Page):
    status = Choice(choices=STATES, required=False)


class NewSecret(Input):
    """None given: one is made."""

    may_be_absent = True

    secret = _Secret(required=False)


class Since(Input):
    example: ClassVar = {"since": "2026-01-15T10:30:00Z"}

    since = _Time()
