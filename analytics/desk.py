"""The figures of a client's own dashboard (docs/analytics.md): one function each, over the rollups."""

from collections.abc import Sequence
from datetime import date
from typing import TypedDict

from conversations.states import Status

from .dashboards import agent_names
from .models import EVER, Scope
from .reading import Sums, View, read, seconds

_VOLUME = ("messages", "customer_messages")
#: The sum and the number that each mean is of.
_TIMES = {
    "first_response": ("first_response_us", "first_responses"),
    "response": ("response_us", "responses"),
    "resolution": ("resolution_us", "resolutions"),
}


class Times(TypedDict):
    """Means in seconds; None where there was nothing."""

    first_response: float | None
    response: float | None
    resolution: float | None


class Volume(TypedDict):
    messages: int
    by_customers: int


class ChannelVolume(Volume):
    conversations: int
    first_response: float | None
    first_responses: int
    duration: float | None


class Load(TypedDict):
    agent_id: int
    name: str
    open: int
    messages: int
    responses: int
    response: float | None


class Desk(TypedDict):
    states: dict[str, int]
    times: Times
    days: dict[date, Volume]
    hours: dict[int, Volume]
    channels: dict[str, ChannelVolume]
    agents: list[Load]


_MEASURES = [*_VOLUME, "conversations", "finished", "durations", "duration_us"]
_MEASURES += [name for pair in _TIMES.values() for name in pair]
_SCOPES = (Scope.STATUS, Scope.CLIENT, Scope.HOUR, Scope.CHANNEL, Scope.AGENT)


def desk(client_id: int | None, days: int) -> Desk:
    """All of them, of the last so many days; their sums are one query."""

    def ask(view: View) -> Desk:
        since = view.first_of(days)
        found = view.together(_SCOPES, _MEASURES, since)
        by_day = {day: sums for (_, _, day), sums in found[Scope.CLIENT].items()}
        by_hour = {hour: sums for (hour, _, day), sums in found[Scope.HOUR].items() if day == since}
        return {
            "states": states(found[Scope.STATUS]),
            "times": times([sums for day, sums in by_day.items() if day != EVER]),
            "days": {day: _volume(by_day.get(day)) for day in view.days(since)},
            "hours": {hour: _volume(by_hour.get(hour)) for hour in range(24)},  # by the client's clock
            "channels": channels({name: sums for (_, name, day), sums in found[Scope.CHANNEL].items() if day == since}),
            "agents": load_of_agents(found[Scope.AGENT], since),
        }

    return read(client_id, ask)


def states(found: Sums) -> dict[str, int]:
    """Now; every state is there."""
    counted = {name: sums["conversations"] for (_, name, day), sums in found.items() if day == EVER}
    return {state: counted.get(state, 0) for state in Status.values}


def times(found: Sequence[dict[str, int]]) -> Times:
    first, response, resolution = (
        seconds(sum(day[us] for day in found), sum(day[count] for day in found)) for us, count in _TIMES.values()
    )
    return {"first_response": first, "response": response, "resolution": resolution}


def channels(found: dict[str, dict[str, int]]) -> dict[str, ChannelVolume]:
    """Most messages first."""
    order = sorted((name for name, sums in found.items() if any(sums.values())), key=lambda name: (
        -found[name]["messages"], name
    ))  # fmt: skip
    return {
        name: {
            **_volume(sums),
            "conversations": sums["conversations"],
            "first_response": seconds(sums["first_response_us"], sums["first_responses"]),
            "first_responses": sums["first_responses"],
            "duration": seconds(sums["duration_us"], sums["durations"]),
        }
        for name in order
        for sums in [found[name]]
    }


def load_of_agents(sums: Sums, since: date) -> list[Load]:
    """Of those who have any: most open conversations first, then most messages."""
    charge = {pk: one for (pk, _, day), one in sums.items() if day == EVER}
    did = {pk: one for (pk, _, day), one in sums.items() if day == since}
    found: list[Load] = []
    names = agent_names([*(charge.keys() | did.keys())])
    nothing = dict.fromkeys(_MEASURES, 0)
    for pk in charge.keys() | did.keys():
        had, done = charge.get(pk, nothing), did.get(pk, nothing)
        is_open = had["conversations"] - had["finished"]
        if is_open or done["messages"]:
            found.append({
                "agent_id": pk, "name": names[pk], "open": is_open, "messages": done["messages"],
                "responses": done["responses"], "response": seconds(done["response_us"], done["responses"]),
            })  # fmt: skip
    return sorted(found, key=lambda one: (-one["open"], -one["messages"], one["agent_id"]))


def _volume(sums: dict[str, int] | None) -> Volume:
    if sums is None:
        return {"messages": 0, "by_customers": 0}
    return {"messages": sums["messages"], "by_customers": sums["customer_messages"]}
