"""What people write into a search (docs/search.md): words, "phrases", -not, from:, channel:, before:, after:."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Q

from chatplatform.db.textindex import Phrase, Wanted
from chatplatform.errors import Invalid

from .text import stems

#: Characters of a search, and words in it.
LONGEST, MOST = 500, 64
#: A sign, a name with a colon, then a quoted part (its end may be missing) or what stands up to a space.
_PART = re.compile(r'(-?)(?:(from|channel|before|after):(?=\S))?(?:"([^"]*)"?|([^\s"]+))', re.IGNORECASE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A search, its words not stemmed yet: clients have languages of their own."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    #: name, value, whether it is excluded
    filters: tuple[tuple[str, str, bool], ...]
    before: date | None = None
    after: date | None = None

    def words(self, language: str) -> Wanted:
        return Wanted(every=tuple(_phrases(self.wanted, language)), none=tuple(_phrases(self.unwanted, language)))

    def condition(self, time_zone: str) -> Q:
        """The filters; days begin at midnight in the client's time zone."""
        found = Q()
        for name, value, excluded in self.filters:
            one = Q(conversation__channel__iexact=value) if name == "channel" else _from(value)
            found &= ~one if excluded else one
        return found & self.window(time_zone)

    def window(self, time_zone: str) -> Q:
        """The part of it that says when."""
        found = Q()
        if self.after:
            found &= Q(created_at__gte=_midnight(self.after, time_zone))
        if self.before:
            found &= Q(created_at__lt=_midnight(self.before, time_zone))
        return found


def parse(text: str) -> Parsed:
    """Raises Invalid where there is nothing to find, or a date is none. Anything else is taken as words."""
    if len(text) > LONGEST:
        raise _invalid(f"Ensure this field has no more than {LONGEST} characters.")
    wanted: list[str] = []
    unwanted: list[str] = []
    filters: list[tuple[str, str, bool]] = []
    days: dict[str, date] = {}
    for sign, name, quoted, bare in _PART.findall(text):
        name, value = name.lower(), quoted or bare
        if name in ("before", "after"):
            day = _day(name, value)
            # Excluded it is the other side; of several the narrowest counts.
            name = {"before": "after", "after": "before"}[name] if sign else name
            days[name] = (min if name == "before" else max)(day, days.get(name, day))
        elif name and value.strip():
            filters.append((name, value.strip(), bool(sign)))
        else:
            (unwanted if sign else wanted).append(value)
    if not any(stems(part, "none") for part in wanted):
        raise _invalid("There is nothing to find: name a word.")
    if sum(len(stems(part, "none")) for part in [*wanted, *unwanted]) > MOST:
        raise _invalid(f"Name no more than {MOST} words.")
    return Parsed(tuple(wanted), tuple(unwanted), tuple(filters), days.get("before"), days.get("after"))


def _phrases(parts: tuple[str, ...], language: str) -> Iterator[Phrase]:
    """What is written together ("order-77", 日本) stands together, quoted or not."""
    for part in parts:
        if found := tuple(stems(part, language)):
            yield found


def _from(who: str) -> Q:
    """`agent` (people and bots who answer), `customer`, else an agent's id or name."""
    if who.lower() == "customer":
        return Q(is_customer=True)
    if who.lower() == "agent":
        return Q(sender_agent__isnull=False)
    return Q(sender_agent__agent_id=who) | Q(sender_agent__name__iexact=who)


def _day(name: str, value: str) -> date:
    try:
        day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None or not 1 < day.year < 9999:
        raise _invalid(f"{name}: is a day, as in {name}:2024-01-31.")
    return day


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone))


def _invalid(reason: str) -> Invalid:
    return Invalid("Validation error", fields={"query": [reason]})
