"""The admin's first page: how the desk stands, each figure a link to what makes it up (docs/desk.md)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from chatplatform.admin import caller_of
from chatplatform.admin.ages import span
from clients.callers import Caller
from conversations.inbox import VIEWS, counts
from conversations.states import OPEN, Status
from messaging.admin.webhooks import add_notices

from .desk import Desk, desk

DAYS = 30
_CHANNELS = 8
_AGENTS = 10
_OWN = ("mine", "unassigned", "waiting", "escalated")


def add_to_index(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What UNFOLD's DASHBOARD_CALLBACK adds: lists for everyone, figures for those who may see their whole client's."""
    caller = caller_of(request)
    front: dict[str, Any] = {"days": DAYS, "lists": _lists(caller)}
    if caller.is_admin:
        front |= _figures(desk(caller.client_id, DAYS))
    return {**add_notices(request, context), "front": front}


def _inbox(**parameters: Any) -> str:
    return f"{reverse('admin:conversations_conversation_changelist')}?{urlencode(parameters)}"


def _lists(caller: Caller) -> list[dict[str, Any]]:
    if caller.client_id is None:
        return []
    known = counts(caller, caller.client_id)
    return [{"label": VIEWS[name].label, "count": known[name], "address": _inbox(view=name)} for name in _OWN]


def _figures(found: Desk) -> dict[str, Any]:
    states = found["states"]
    times = found["times"]
    return {
        "open": sum(states[state] for state in OPEN),
        "states": [
            {"label": Status(state).label, "count": count, "address": _inbox(status__exact=state)}
            for state, count in states.items()
        ],
        "times": [
            {"label": _("First response"), "span": _span(times["first_response"])},
            {"label": _("Response"), "span": _span(times["response"])},
            {"label": _("Resolution"), "span": _span(times["resolution"])},
        ],
        "volume": {
            "messages": sum(day["messages"] for day in found["days"].values()),
            "by_customers": sum(day["by_customers"] for day in found["days"].values()),
        },
        "by_day": _bars([(day, one["messages"]) for day, one in found["days"].items()]),
        "by_hour": _bars([(hour, one["messages"]) for hour, one in found["hours"].items()]),
        "channels": [
            {
                "label": name, "messages": one["messages"], "conversations": one["conversations"],
                "first_response": _span(one["first_response"]), "address": _inbox(channel=name),
            }
            for name, one in list(found["channels"].items())[:_CHANNELS]
        ],
        "agents": [
            {
                "label": one["name"], "open": one["open"], "messages": one["messages"],
                "response": _span(one["response"]), "address": _inbox(assigned_agent__id__exact=one["agent_id"]),
            }
            for one in found["agents"][:_AGENTS]
        ],
    }  # fmt: skip


def _span(seconds: float | None) -> str:
    return "—" if seconds is None else span(timedelta(seconds=seconds))


def _bars(values: list[tuple[Any, int]]) -> list[dict[str, Any]]:
    """Each with its height in hundredths of the highest."""
    highest = max((value for _name, value in values), default=0) or 1
    return [
        {"name": name, "value": value, "height": round(value / highest * 100), "place": place}
        for place, (name, value) in enumerate(values)
    ]
