"""What the calls of communication rules take."""

import re
from datetime import time
from typing import Any, ClassVar

from rest_framework import serializers

from clients.checks import QUEUE_LENGTH
from conversations.models.tags import TAG_LENGTH
from messaging.models import CommunicationRule
from messaging.rule_models import REPLY_LENGTH
from messaging.rules.hours import DAYS, time_zones

from ..fields import Changes, Choice, Input, Text
from .paging import Page

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class Clock(serializers.Field):
    """What a clock on the wall shows."""

    default_error_messages = {"invalid": "A time of day like 09:30 is required."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_CLOCK.pattern}$"}

    def to_internal_value(self, data: Any) -> time:
        match = _CLOCK.fullmatch(data) if isinstance(data, str) else None
        if match is None:
            self.fail("invalid")
        return time(int(match[1]), int(match[2]))


class TimeZone(serializers.Field):
    default_error_messages = {"invalid": "There is no such time zone."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(time_zones())}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in time_zones():
            self.fail("invalid")
        return data


class _Days(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=Choice(choices=DAYS), min_length=1, max_length=len(DAYS), **options)


class TimeRange(Input):
    start = Clock()
    end = Clock()
    timezone = TimeZone(required=False)


class NewConditions(Input):
    json_schema_extra: ClassVar = {
        "anyOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
            for name in ("time_range", "days", "channel", "tag")
        ]
    }

    time_range = TimeRange(required=False)
    days = _Days(required=False)
    channel = Text(max_length=50, required=False)
    tag = Text(max_length=TAG_LENGTH, required=False)


class NewActions(Input):
    json_schema_extra: ClassVar = {
        "anyOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in ("auto_reply", "route_to")
        ]
    }

    auto_reply = Text(max_length=REPLY_LENGTH, required=False)
    route_to = Text(max_length=QUEUE_LENGTH, required=False)


class RuleList(Page):
    pass


class NewRule(Input):
    example: ClassVar = {
        "name": "Office hours",
        "type": "allow",
        "conditions": {
            "time_range": {"start": "09:00", "end": "18:00", "timezone": "America/Bogota"},
            "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        },
        "actions": {"auto_reply": "We are back at nine.", "route_to": "night"},
    }

    name = Text(max_length=255)
    type = Choice(choices=CommunicationRule.Type.values)
    conditions = NewConditions()
    actions = NewActions()


class ConditionChanges(Changes):
    """Each that is named is replaced whole; null takes it away."""

    time_range = TimeRange(required=False, allow_null=True)
    days = _Days(required=False, allow_null=True)
    channel = Text(max_length=50, required=False, allow_null=True)
    tag = Text(max_length=TAG_LENGTH, required=False, allow_null=True)


class ActionChanges(Changes):
    auto_reply = Text(max_length=REPLY_LENGTH, required=False, allow_null=True)
    route_to = Text(max_length=QUEUE_LENGTH, required=False, allow_null=True)


class RuleChanges(Changes):
    example: ClassVar = {"actions": {"route_to": None, "auto_reply": "We are back at nine."}}

    name = Text(max_length=255, required=False)
    type = Choice(choices=CommunicationRule.Type.values, required=False)
    conditions = ConditionChanges(required=False)
    actions = ActionChanges(required=False)
