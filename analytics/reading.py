"""Figures as of now: the rollups, and what has happened since they were last folded in (docs/analytics.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Case, DateField, F, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from chatplatform.db.alone import in_turn
from clients.models import Client
from conversations.models import Event

from .folding import NUMBER, catch_up
from .models import EVER, MEASURES, Figure, Mark, Position, Scope
from .shares import differences, kept, shares_of
from .writing import Differences

#: Conversations that a reader counts by itself; more are folded in first, for so many seconds at most.
PENDING, PATIENCE = 300, 2.0
_TRIES = 5
_Answer = TypeVar("_Answer")
Sums = dict[tuple[Any, ...], dict[str, int]]
_PLACE = {name: place for place, name in enumerate(MEASURES)}
#: Where each column of a figure stands in a key of a share.
_IN_KEY = {"scope": 0, "subject": 1, "other": 2, "name": 3, "day": 4}


@dataclass(frozen=True, slots=True)
class View:
    """The figures of one client (or of all) at one moment."""

    clients: Sequence[int]
    zone: ZoneInfo
    pending: Differences

    @property
    def today(self) -> date:
        return timezone.now().astimezone(self.zone).date()

    def first_of(self, days: int) -> date:
        """The first of the last so many days, today included."""
        return self.today - timedelta(days=days - 1)

    def days(self, since: date) -> list[date]:
        """From then until today, days without traffic too."""
        return [since + timedelta(days=number) for number in range((self.today - since).days + 1)]

    def sums(
        self, scope: Scope, measures: Sequence[str], by: Sequence[str] = (), *, since: date | None = None,
        **only: int | str,
    ) -> Sums:  # fmt: skip
        """Sums of these measures by `by` (subject, other, name, day), of the days from `since` until today, or
        (None) of all; `only` names columns that must have a value. One query."""
        days = {"day": EVER} if since is None else {"day__gte": since, "day__lte": self.today}
        rows = Figure.objects.filter(client__in=self.clients, scope=scope, **days, **only).order_by()
        names = [f"sum_{measure}" for measure in measures]
        sums = {name: Sum(measure) for name, measure in zip(names, measures, strict=True)}
        found: Sums = {}
        if by:
            for row in rows.values(*by).annotate(**sums):
                found[tuple(row[name] for name in by)] = {m: row[n] or 0 for m, n in zip(measures, names, strict=True)}
        else:
            row = rows.aggregate(**sums)
            found[()] = {m: row[n] or 0 for m, n in zip(measures, names, strict=True)}
        self._add_pending(found, scope, measures, by, since, only)
        return found

    def together(self, scopes: Sequence[Scope], measures: Sequence[str], since: date) -> dict[Scope, Sums]:
        """Of several scopes the sums by (subject, name, day): of what counts for ever (EVER), and of the days from
        `since` until today; those stand under `since`, each day's by itself for the client alone. One query."""
        own_day = Q(day=EVER) | Q(scope=Scope.CLIENT)
        at = Case(When(own_day, then=F("day")), default=Value(since), output_field=DateField())
        wanted = Q(day=EVER) | Q(day__gte=since, day__lte=self.today)
        rows = Figure.objects.filter(wanted, client__in=self.clients, scope__in=scopes).order_by()
        found: dict[Scope, Sums] = {scope: {} for scope in scopes}
        columns = rows.annotate(at=at).values_list("scope", "subject", "name", "at")
        for scope, subject, name, day, *sums in columns.annotate(*(Sum(measure) for measure in measures)):
            found[Scope(scope)][subject, name, day] = dict(zip(measures, sums, strict=True))
        for (_, key), vector in self.pending.items():
            of, on = Scope(key[0]), date.fromisoformat(key[4])
            if of in found and (on == EVER or since <= on <= self.today):
                group = (key[1], key[3], on if on == EVER or of == Scope.CLIENT else since)
                changed = found[of].setdefault(group, dict.fromkeys(measures, 0))
                for measure in measures:
                    changed[measure] += vector[_PLACE[measure]]
        return found

    def total(self, scope: Scope, *measures: str, since: date | None = None, **only: int | str) -> dict[str, int]:
        return self.sums(scope, measures, (), since=since, **only)[()]

    def pending_of(self, scope: Scope, day: date = EVER) -> set[int]:
        """The subjects whose figures of that day change by what is not folded in yet."""
        return {key[1] for _, key in self.pending if key[0] == scope and key[4] == day.isoformat()}

    def pending_sum(self, scope: Scope, subject: int, measure: str) -> int:
        """Of all days, by how much a subject's figure changes by what is not folded in yet."""
        wanted = (scope.value, subject, 0, "", EVER.isoformat())
        return sum(vector[_PLACE[measure]] for (_, key), vector in self.pending.items() if key == wanted)

    def _add_pending(
        self, found: Sums, scope: Scope, measures: Sequence[str], by: Sequence[str], since: date | None,
        only: dict[str, Any],
    ) -> None:  # fmt: skip
        first, last = (EVER, EVER) if since is None else (since, self.today)
        for (_, key), vector in self.pending.items():
            if key[0] != scope or not first.isoformat() <= key[4] <= last.isoformat():
                continue
            if any(key[_IN_KEY[name]] != value for name, value in only.items()):
                continue
            group = tuple(date.fromisoformat(key[4]) if name == "day" else key[_IN_KEY[name]] for name in by)
            sums = found.setdefault(group, dict.fromkeys(measures, 0))
            for measure in measures:
                sums[measure] += vector[_PLACE[measure]]


def read(client_id: int | None, ask: Callable[[View], _Answer]) -> _Answer:
    """What `ask` makes of the figures of a client (None: of all), which all belong to one moment. Writes nothing
    while no more than a few hundred conversations are waiting to be folded in."""
    for attempt in range(_TRIES):
        view, version = _view(client_id, may_fold=attempt == 0)
        answer = ask(view)
        if version == _version():
            return answer
    with in_turn(NUMBER):  # folding is so frequent that it is asked to wait
        return ask(_view(client_id, may_fold=False)[0])


def _view(client_id: int | None, *, may_fold: bool) -> tuple[View, int]:
    clients = Client.objects.all() if client_id is None else Client.objects.filter(pk=client_id)
    place = Position.objects.order_by().values("event_id")[:1]
    columns = ("pk", "time_zone", "rollup__time_zone", "rollup__rebuilt_to", "version")
    rows = list(clients.annotate(version=Subquery(Position.objects.values("version")[:1])).values_list(*columns))
    changed = Event.objects.filter(pk__gt=Coalesce(Subquery(place), 0)).order_by()
    marked = Mark.objects.order_by()
    if client_id is not None:
        changed, marked = changed.filter(client=client_id), marked.filter(client=client_id)
    named = changed.values_list("conversation_id").union(marked.values_list("conversation_id"))
    ids = [pk for (pk,) in named[: PENDING + 1]]
    is_old = any(rebuilt is not None or (zone or now) != now for _, now, zone, rebuilt, _ in rows)
    if may_fold and (is_old or len(ids) > PENDING):
        catch_up(PATIENCE)
        return _view(client_id, may_fold=False)
    ids = ids[:PENDING]
    pending = differences(shares_of(ids), kept(ids)) if ids else {}
    zone = ZoneInfo("UTC" if client_id is None else rows[0][1])
    return View([row[0] for row in rows], zone, pending), (rows[0][-1] or 0) if rows else 0


def _version() -> int:
    return Position.objects.values_list("version", flat=True).first() or 0


def seconds(us: int, count: int) -> float | None:
    """The mean, to the millisecond; None of nothing."""
    return round(us / count / 1_000_000, 3) if count else None
