"""The figures of a client's own dashboard (docs/analytics.md): one function each, over the rollups.

`read(client_id, lambda view: …)` gives the view; several asked in one `read` belong to one moment.
"""

from datetime import date
from typing import TypedDict

from conversations.states import Status

from .dashboards import agent_names
from .models import Scope
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


def desk(client_id: int | None, days: int) -> Desk:
    """All of them, of the last so many days."""

    def ask(view: View) -> Desk:
        since = view.first_of(days)
        return {
            "states": by_state(view),
            "times": times(view, since),
            "days": by_day(view, since),
            "hours": by_hour(view, since),
            "channels": by_channel(view, since),
            "agents": load_of_agents(view, since),
        }

    return read(client_id, ask)


class Headline(TypedDict):
    states: dict[str, int]
    times: Times
    volume: Volume
    channels: list[tuple[str, int]]


def headline(client_id: int | None, days: int) -> Headline:
    """The main ones, for a page that shows much besides: one query."""
    measures = ("conversations", *_VOLUME, *(name for pair in _TIMES.values() for name in pair))

    def ask(view: View) -> Headline:
        since = view.first_of(days)
        found = view.by_name({Scope.STATUS: None, Scope.CLIENT: since, Scope.CHANNEL: since}, measures)
        total = found[Scope.CLIENT].get(("",), dict.fromkeys(measures, 0))
        channels = [(name, sums["messages"]) for (name,), sums in found[Scope.CHANNEL].items() if sums["messages"]]
        return {
            "states": _states(found[Scope.STATUS]),
            "times": _times(total),
            "volume": _volume(total),
            "channels": sorted(channels, key=lambda one: (-one[1], one[0])),
        }

    return read(client_id, ask)


def by_state(view: View) -> dict[str, int]:
    """Now; every state is there."""
    return _states(view.sums(Scope.STATUS, ["conversations"], ["name"]))


def _states(found: Sums) -> dict[str, int]:
    return {state: found.get((state,), {"conversations": 0})["conversations"] for state in Status.values}


def times(view: View, since: date) -> Times:
    return _times(view.total(Scope.CLIENT, *(name for pair in _TIMES.values() for name in pair), since=since))


def _times(total: dict[str, int]) -> Times:
    first, response, resolution = (seconds(total[us], total[count]) for us, count in _TIMES.values())
    return {"first_response": first, "response": response, "resolution": resolution}


def by_day(view: View, since: date) -> dict[date, Volume]:
    """Oldest first; days without traffic too."""
    found = view.sums(Scope.CLIENT, _VOLUME, ["day"], since=since)
    return {day: _volume(found.get((day,))) for day in view.days(since)}


def by_hour(view: View, since: date) -> dict[int, Volume]:
    """From 0 to 23, by the client's clock."""
    found = view.sums(Scope.HOUR, _VOLUME, ["subject"], since=since)
    return {hour: _volume(found.get((hour,))) for hour in range(24)}


def by_channel(view: View, since: date) -> dict[str, ChannelVolume]:
    """Most messages first."""
    measures = (*_VOLUME, "conversations", "first_responses", "first_response_us", "durations", "duration_us")
    found = view.sums(Scope.CHANNEL, measures, ["name"], since=since)
    order = sorted((name for (name,), sums in found.items() if any(sums.values())), key=lambda name: (
        -found[name,]["messages"], name
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
        for sums in [found[name,]]
    }


def load_of_agents(view: View, since: date) -> list[Load]:
    """Of those who have any: most open conversations first, then most messages."""
    charge = view.sums(Scope.AGENT, ["conversations", "finished"], ["subject"])
    did = view.sums(Scope.AGENT, ["messages", "responses", "response_us"], ["subject"], since=since)
    found: list[Load] = []
    names = agent_names([pk for (pk,) in charge.keys() | did.keys()])
    for (pk,) in charge.keys() | did.keys():
        had = charge.get((pk,), {"conversations": 0, "finished": 0})
        done = did.get((pk,), {"messages": 0, "responses": 0, "response_us": 0})
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
