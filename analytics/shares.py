"""What conversations add to the figures, counted from their rows at this moment."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from clients.models import Agent
from conversations.models import Conversation
from conversations.states import FINISHED, Status
from messaging.counters import among
from messaging.models import Message

from .answers import answers
from .models import EVER, MEASURES, Scope, Share

#: scope, subject, other, name, day
Key = tuple[str, int, int, str, str]
Vector = list[int]
Added = dict[Key, Vector]

_EVER = EVER.isoformat()
_PLACE = {name: place for place, name in enumerate(MEASURES)}
_IN_CHARGE = "assigned_agent_id"
_MICROSECOND = timedelta(microseconds=1)
_LINE = ("conversation_id", "is_customer", "created_at", "sender_agent_id", "sender_agent__kind")
_ROW = (
    "id", "client_id", "client__time_zone", "owner_id", "assigned_agent_id", "channel", "status", "status_changed_at",
    "created_at", "last_message_at",
)  # fmt: skip
#: Whose figures are kept of all days too.
_OF_ALL_DAYS = frozenset({Scope.CLIENT, Scope.OWNER, Scope.AGENT})


@dataclass(slots=True)
class Sums:
    """Adds up what one conversation adds, on days of its client's clock."""

    zone: ZoneInfo
    added: Added = field(default_factory=dict)

    def local(self, at: datetime) -> tuple[str, int]:
        """The day and the hour."""
        there = at.astimezone(self.zone)
        return there.date().isoformat(), there.hour

    def add(
        self, scope: Scope, day: str, measures: Mapping[str, int], *, subject: int = 0, other: int = 0, name: str = ""
    ) -> None:
        for one in (day, _EVER) if scope in _OF_ALL_DAYS else (day,):
            vector = self.added.setdefault((scope.value, subject, other, name, one), [0] * len(MEASURES))
            for measure, value in measures.items():
                vector[_PLACE[measure]] += value


def shares_of(ids: Collection[int]) -> dict[int, tuple[int, Added]]:
    """By conversation, its client and what it adds; none for those that are deleted or gone. Two queries."""
    if not ids:
        return {}
    rows = {row["id"]: row for row in Conversation.objects.alive().filter(pk__in=ids).values(*_ROW)}
    if not rows:
        return {}
    sums = {pk: Sums(ZoneInfo(row["client__time_zone"])) for pk, row in rows.items()}
    for pk, lines in _lines(rows):
        _add_messages(sums[pk], rows[pk], lines)
    for pk, row in rows.items():
        _add_conversation(sums[pk], row)
    return {pk: (rows[pk]["client_id"], each.added) for pk, each in sums.items()}


def _lines(ids: Collection[int]) -> Iterator[tuple[int, list[Any]]]:
    """Messages that all see, without the client's own voice."""
    said = Message.objects.filter(among(ids)).counted().order_by("conversation_id", "seq").values_list(*_LINE)
    for pk, group in groupby(said.iterator(), key=itemgetter(0)):
        yield pk, [line[1:] for line in group if line[4] != Agent.Kind.SYSTEM]


def _add_messages(sums: Sums, row: dict[str, Any], lines: list[Any]) -> None:
    owner, channel = row["owner_id"], row["channel"]
    counts: Counter[tuple[str, int, bool, int | None]] = Counter()
    for is_customer, at, agent, _ in lines:
        counts[(*sums.local(at), is_customer, agent)] += 1
    for (day, hour, is_customer, agent), count in counts.items():
        said = {"messages": count, "customer_messages": count * is_customer}
        sums.add(Scope.CLIENT, day, said)
        sums.add(Scope.CHANNEL, day, said, name=channel)
        sums.add(Scope.HOUR, day, said, subject=hour)
        if owner is not None:
            sums.add(Scope.OWNER, day, said, subject=owner)
        if agent is not None:
            sums.add(Scope.AGENT, day, said, subject=agent)
            if owner is not None:
                sums.add(Scope.PAIR, day, said, subject=owner, other=agent)
    sides = ((is_customer, at, agent) for is_customer, at, agent, _ in lines if is_customer or agent is not None)
    for number, (at, took, agent) in enumerate(answers(sides)):
        us, (day, _) = took // _MICROSECOND, sums.local(at)
        answered = {"responses": 1, "response_us": us}
        if number == 0:
            answered |= {"first_responses": 1, "first_response_us": us}
        sums.add(Scope.CLIENT, day, answered)
        sums.add(Scope.CHANNEL, day, answered, name=channel)
        sums.add(Scope.AGENT, day, answered, subject=agent)
        if owner is not None:
            sums.add(Scope.OWNER, day, answered, subject=owner)


def _add_conversation(sums: Sums, row: dict[str, Any]) -> None:
    began, changed, owner, agent = (row[name] for name in ("created_at", "status_changed_at", "owner_id", _IN_CHARGE))
    finished = row["status"] in FINISHED
    one = {"conversations": 1, "finished": int(finished)}
    ended = changed if row["status"] == Status.CLOSED else row["last_message_at"]
    if ended is not None:
        one |= {"durations": 1, "duration_us": (ended - began) // _MICROSECOND}
    day, _ = sums.local(began)
    sums.add(Scope.CLIENT, day, {**one, "owned": int(owner is not None)})
    sums.add(Scope.CHANNEL, day, one, name=row["channel"])
    sums.add(Scope.STATUS, _EVER, {"conversations": 1}, name=row["status"])
    if owner is not None:
        sums.add(Scope.OWNER, day, one, subject=owner)
    if agent is not None:
        sums.add(Scope.AGENT, day, one, subject=agent)
    if finished and changed is not None:
        resolved = {"resolutions": 1, "resolution_us": (changed - began) // _MICROSECOND}
        day, _ = sums.local(changed)
        sums.add(Scope.CLIENT, day, resolved)
        sums.add(Scope.CHANNEL, day, resolved, name=row["channel"])
        if agent is not None:
            sums.add(Scope.AGENT, day, resolved, subject=agent)


# --- how a share is kept ---


def packed(added: Added) -> list[Any]:
    """As `Share.added` has it."""
    found = []
    for key, vector in sorted(added.items()):
        length = max((place + 1 for place, value in enumerate(vector) if value), default=0)
        if length:
            found.append([*key, vector[:length]])
    return found


def unpacked(added: list[Any]) -> Added:
    width = len(MEASURES)
    return {
        (scope, subject, other, name, day): [*vector, *[0] * (width - len(vector))]
        for scope, subject, other, name, day, vector in added
    }


def kept(ids: Collection[int]) -> dict[int, tuple[int, list[Any]]]:
    """What these conversations have added so far: their client, and that packed."""
    rows = Share.objects.filter(pk__in=ids).values_list("pk", "client_id", "added")
    return {pk: (client, added) for pk, client, added in rows}


def differences(
    fresh: dict[int, tuple[int, Added]], stored: dict[int, tuple[int, list[Any]]]
) -> dict[tuple[int, Key], Vector]:
    """By client and key, what must be added to the figures for those of `stored` to become those of `fresh`."""
    found: dict[tuple[int, Key], Vector] = {}

    def count(client: int, added: Added, sign: int) -> None:
        for key, vector in added.items():
            total = found.setdefault((client, key), [0] * len(MEASURES))
            for place, value in enumerate(vector):
                total[place] += sign * value

    for client, added in fresh.values():
        count(client, added, 1)
    for client, packed_ in stored.values():
        count(client, unpacked(packed_), -1)
    return {key: vector for key, vector in found.items() if any(vector)}
