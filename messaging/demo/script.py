"""How a dialogue of the demonstration is written down.

One line a step, `MARK [+GAP] text`. The gap since the step before is in minutes (`+5`), hours (`+3h`)
or days (`+1d`); without one it follows from the length of the text. The marks:

    C  the customer says            A  the agent in charge says      S  the supervisor says
    B  the bot says                 N  a private note of that agent  R  staff read it
    @  ana | budi | daniel: takes over      =  a state, `| why`      #  tags, separated by commas

`[image] name | caption`, `[location] latitude, longitude | name` and `[contact] name | phone` in place
of a text make messages of those types; a text that begins with `[flag]` is a flagged one.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

_LINE = re.compile(r"([CASBNR@=#])(?:\s+\+(\d+)([hd]?))?(?:\s+(.*))?")
_UNITS = {"": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_AGO = re.compile(r"(\d+)([mhd])")


@dataclass(frozen=True, slots=True)
class Line:
    mark: str
    text: str
    gap: timedelta


@dataclass(frozen=True, slots=True)
class Script:
    """`when`: "3d 10:15" begins that many days ago at that hour of the client's, "12m" (h, d) ended then."""

    channel: str
    customer: str
    when: str
    title: str
    lines: tuple[Line, ...]
    agent: str = ""
    queue: str = ""
    category: str = "general"
    flag: str = ""
    snoozed: bool = False
    pinned: bool = False

    @property
    def has_bot(self) -> bool:
        return any(line.mark == "B" for line in self.lines)

    def times(self, now: datetime, zone: tzinfo) -> list[datetime]:
        """When each line happens, in UTC terms of `now`."""
        moments = [timedelta(0)]
        for line in self.lines[1:]:
            moments.append(moments[-1] + line.gap)
        begin = self._begin(now, zone, moments[-1])
        return [begin + moment for moment in moments]

    def _begin(self, now: datetime, zone: tzinfo, length: timedelta) -> datetime:
        if match := _AGO.fullmatch(self.when):
            unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
            return now - timedelta(**{unit: int(match[1])}) - length
        days, hour = self.when.split("d ")
        begin = now.astimezone(zone).replace(
            hour=int(hour[:2]), minute=int(hour[3:]), second=now.second, microsecond=0
        ) - timedelta(days=int(days))
        if begin.weekday() == 6 and int(hour[:2]) >= 12:  # Sundays are quiet
            begin -= timedelta(days=1)
        return min(begin, now - timedelta(minutes=45) - length)


def script(channel: str, customer: str, when: str, title: str, text: str, **options: object) -> Script:
    lines = tuple(_line(row.strip()) for row in text.strip().splitlines())
    return Script(channel, customer, when, title, lines, **options)  # type: ignore[arg-type]


def _line(row: str) -> Line:
    match = _LINE.fullmatch(row)
    if match is None:
        raise ValueError(f"not a line of a dialogue: {row!r}")
    mark, number, unit, text = match.groups()
    text = text or ""
    if number is not None:
        gap = int(number) * _UNITS[unit]
    elif mark in "CASBN":
        gap = timedelta(seconds=20 if mark == "B" else 40 + 2 * len(text))
    else:
        gap = timedelta(seconds=5)
    return Line(mark, text, gap)
