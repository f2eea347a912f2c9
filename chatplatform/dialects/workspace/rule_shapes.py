"""Communication rules as this dialect shows them."""

from typing import Annotated, Literal, NotRequired, TypedDict

from messaging.models import CommunicationRule

from ..operations import Form, Time
from . import ids
from .shapes import Pagination, time

RuleId = Annotated[str, Form(pattern="^rule_[0-9a-f]{32}$")]
Clock = Annotated[str, Form(pattern="^[0-2][0-9]:[0-5][0-9]$")]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class ShownRange(TypedDict):
    start: Clock
    end: Clock
    #: null: the workspace's own.
    timezone: str | None


class Conditions(TypedDict):
    """Those that there are."""

    time_range: NotRequired[ShownRange]
    days: NotRequired[list[Day]]
    channel: NotRequired[str]
    tag: NotRequired[str]


class Actions(TypedDict):
    auto_reply: str | None
    route_to: str | None


class Rule(TypedDict):
    id: RuleId
    name: str
    type: Literal["allow", "deny"]
    conditions: Conditions
    actions: Actions
    created_at: Time
    updated_at: Time


class Rules(TypedDict):
    communication_rules: list[Rule]
    pagination: Pagination


def rule(row: CommunicationRule) -> Rule:
    conditions: Conditions = {}
    if row.start is not None and row.end is not None:
        conditions["time_range"] = {
            "start": f"{row.start:%H:%M}", "end": f"{row.end:%H:%M}", "timezone": row.time_zone or None
        }  # fmt: skip
    if row.days:
        conditions["days"] = row.days
    if row.channel:
        conditions["channel"] = row.channel
    if row.tag:
        conditions["tag"] = row.tag
    return {
        "id": ids.shown("rule", row.uuid),
        "name": row.name,
        "type": "deny" if row.type == CommunicationRule.Type.DENY else "allow",
        "conditions": conditions,
        "actions": {"auto_reply": row.auto_reply or None, "route_to": row.route_to or None},
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }
