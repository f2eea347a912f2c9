"""Whether a client is open (docs/rules.md). Pure functions over values.

What the clocks say is always found by converting the instant in UTC to the rule's own zone. Nothing is
reckoned in local time: a day there may have 23 hours, or an hour twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
#: As far as is looked for an opening, back or ahead.
HORIZON = timedelta(days=366)


@cache
def time_zones() -> frozenset[str]:
    """The names that are taken: those of the IANA, without what means the server's own zone or none."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@dataclass(frozen=True, slots=True)
class Rule:
    id: int
    name: str
    denies: bool
    zone: ZoneInfo
    start: time | None = None
    end: time | None = None
    #: As `date.weekday` counts; empty: every day.
    days: frozenset[int] = frozenset()
    channel: str = ""
    tag: str = ""  # folded
    auto_reply: str = ""
    route_to: str = ""
    #: Days on which it does not hold, whatever else it says.
    holidays: frozenset[date] = frozenset()

    @property
    def is_timeless(self) -> bool:
        return self.start is None and not self.days and not self.holidays

    def matches(self, at: datetime) -> bool:
        """Whether its times hold at this instant. A range that passes midnight is of the day it starts on."""
        local = at.astimezone(self.zone)
        day, clock = local.date(), local.time()
        if self.start is None or self.end is None:
            return self._has(day)
        if self.start < self.end:
            return self.start <= clock < self.end and self._has(day)
        return (clock >= self.start and self._has(day)) or (clock < self.end and self._has(day - _DAY))

    def _has(self, day: date) -> bool:
        return (not self.days or day.weekday() in self.days) and day not in self.holidays


class Decision(NamedTuple):
    is_open: bool
    #: Whose actions run when it is not.
    rule: Rule | None = None


def applying(rules: Iterable[Rule], channel: str, tags: frozenset[str]) -> list[Rule]:
    """Those of a conversation: a rule without a channel or tag is for any. `tags` are folded."""
    return [rule for rule in rules if rule.channel in ("", channel) and (not rule.tag or rule.tag in tags)]


def decide(rules: Sequence[Rule], at: datetime) -> Decision:
    """Of rules that apply, the oldest first."""
    oldest: Rule | None = None
    allowed = False
    for rule in rules:
        if rule.denies:
            if rule.matches(at):
                return Decision(False, rule)
        else:
            oldest = oldest or rule
            allowed = allowed or rule.matches(at)
    return Decision(True) if oldest is None or allowed else Decision(False, oldest)


def opened_between(rules: Sequence[Rule], start: datetime, end: datetime) -> bool:
    """Whether these were open at any instant from `start` to `end`."""
    if any(rule.denies and rule.is_timeless for rule in rules):
        return False
    start = max(start, end - HORIZON)
    return any(decide(rules, at).is_open for at in chain([start], edges(rules, start, end)))


def next_change(rules: Sequence[Rule], at: datetime) -> datetime | None:
    """When it will be open where it is closed now, or the other way round; None: not within HORIZON."""
    now = decide(rules, at).is_open
    return next((edge for edge in edges(rules, at, at + HORIZON) if decide(rules, edge).is_open != now), None)


def edges(rules: Sequence[Rule], start: datetime, end: datetime) -> Iterator[datetime]:
    """Every instant in (start, end] from which on another decision may hold, in order: between two of them
    nothing changes."""
    clocks: dict[ZoneInfo, set[time]] = {}
    for rule in rules:
        walls = clocks.setdefault(rule.zone, {_MIDNIGHT})
        walls |= {wall for wall in (rule.start, rule.end) if wall is not None}
    while start < end:
        stop = min(start + _DAY, end)
        found = {at for zone, walls in clocks.items() for at in _edges(zone, walls, start, stop)}
        yield from sorted(at for at in found if start < at <= stop)
        start = stop


def _edges(zone: ZoneInfo, walls: set[time], start: datetime, stop: datetime) -> Iterator[datetime]:
    """Candidates of at most one day: when the clocks show one of the walls, and when they are changed."""
    day, last = start.astimezone(zone).date(), stop.astimezone(zone).date()
    while day <= last:
        for wall in walls:
            for fold in (0, 1):  # the hour that comes twice
                yield datetime.combine(day, wall, zone).replace(fold=fold).astimezone(UTC)
        day += _DAY
    if start.astimezone(zone).utcoffset() != stop.astimezone(zone).utcoffset():
        yield _change_of_clocks(zone, start, stop)


def _change_of_clocks(zone: ZoneInfo, start: datetime, stop: datetime) -> datetime:
    """The first second of the new offset."""
    before = start.astimezone(zone).utcoffset()
    low, high = int(start.timestamp()), int(stop.timestamp()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
