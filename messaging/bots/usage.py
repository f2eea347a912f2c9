"""Counting what agents use, and the month's limit of a client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone

from chatplatform.errors import ProviderFailed, SpendingLimitReached
from clients.models import Agent, Client

from ..models import AgentReserve, AgentUsage
from .money import cost_of, from_micro, micro
from .prompt import build
from .providers import Asked

#: Where a client's settings have it.
SETTING, LIMIT = "ai", "monthly_limit"
#: So long after a call's time-out its process is taken for dead, and what it set aside is free again.
_LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Spending:
    """Of one call: its agent, and what is set aside for it, None where its client has no limit."""

    agent: Agent
    reserve: int | None = None

    def count_answer(self, tokens_in: int, tokens_out: int) -> None:
        """Within the transaction that stores the answer, or by itself where that is not stored."""
        cost = cost_of(self.agent, tokens_in, tokens_out)
        self._end(answers=1, tokens_in=tokens_in, tokens_out=tokens_out, cost_micro=micro(cost))

    def count_failure(self, error: ProviderFailed) -> None:
        """With what may be billed all the same."""
        cost = cost_of(self.agent, error.tokens_in, error.tokens_out)
        self._end(failures=1, tokens_in=error.tokens_in, tokens_out=error.tokens_out, cost_micro=micro(cost))

    @transaction.atomic
    def _end(self, **counts: int) -> None:
        _add(self.agent, **counts)
        if self.reserve is not None:
            AgentReserve.objects.filter(pk=self.reserve).delete()


def _add(agent: Agent, **counts: int) -> None:
    """One statement where the day has its row: exact under any number of writers."""
    day = timezone.now().astimezone(_zone(agent.client_id)).date()
    rows = AgentUsage.objects.filter(agent=agent, day=day)
    more: dict[str, Any] = {name: F(name) + count for name, count in counts.items()}
    if rows.update(**more):
        return
    try:
        with transaction.atomic():
            AgentUsage.objects.create(agent=agent, day=day, **counts)
    except IntegrityError:  # another made it at this moment
        rows.update(**more)


@transaction.atomic
def reserve(asked: Asked) -> Spending:
    """Sets aside what a call may cost at most, so that calls under way together do not pass the month's limit; where
    there is none, nothing. Raises SpendingLimitReached where that is more than what is left of it."""
    agent = asked.agent
    client = Client.objects.only("settings", "time_zone").get(pk=agent.client_id)
    limit = monthly_limit(client.settings)
    if limit is None:
        return Spending(agent)
    most = cost_of(agent, build(asked).tokens, agent.answer_tokens)
    Client.objects.select_for_update(no_key=True).only("pk").get(pk=client.pk)
    zone = ZoneInfo(client.time_zone)
    now = timezone.now().astimezone(zone)
    held = AgentReserve.objects.filter(client=client.pk)
    held.filter(until__lt=now).delete()
    others = from_micro(held.aggregate(total=Sum("cost_micro"))["total"] or 0)
    spent = spent_since(client.pk, now.date().replace(day=1))
    if spent >= limit or spent + others + most > limit:
        raise SpendingLimitReached(max(ceil((_next_month(now, zone) - now).total_seconds()), 1))
    until = now + timedelta(seconds=agent.timeout) + _LATE
    return Spending(agent, AgentReserve.objects.create(client_id=client.pk, until=until, cost_micro=micro(most)).pk)


def monthly_limit(settings: Mapping[str, Any]) -> Decimal | None:
    """None where there is none. What cannot be read is a limit of zero."""
    own = settings.get(SETTING)
    given = own.get(LIMIT) if isinstance(own, dict) else own
    if given is None:
        return None
    try:
        limit = Decimal(str(given))
    except InvalidOperation:
        return Decimal(0)
    return limit if limit.is_finite() else Decimal(0)


def spent_since(client_id: int, day: date) -> Decimal:
    rows = AgentUsage.objects.for_client(client_id).filter(day__gte=day)
    total = rows.aggregate(total=Sum("cost_micro"))["total"]
    return from_micro(total or 0)


def _next_month(now: datetime, zone: ZoneInfo) -> datetime:
    first = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time.min, zone)


def _zone(client_id: int) -> ZoneInfo:
    return ZoneInfo(Client.objects.values_list("time_zone", flat=True).get(pk=client_id))
