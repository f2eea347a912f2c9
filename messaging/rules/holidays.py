"""The days on which a client is closed: `holidays` of its settings, a list of ISO dates."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction

from chatplatform.errors import Invalid
from clients.actions import change_settings

KEY = "holidays"
HOLIDAYS = 1000  # of a client


def holidays_of(settings: dict[str, Any]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in settings.get(KEY, ()))


@transaction.atomic
def set_holidays(client_id: int, days: Iterable[date]) -> None:
    """Replaces them all. Raises Invalid (too many)."""
    given = sorted(set(days))
    if len(given) > HOLIDAYS:
        raise Invalid("Validation error", fields={KEY: [f"At most {HOLIDAYS} holidays."]})
    change_settings(client_id, **{KEY: [day.isoformat() for day in given] or None})
