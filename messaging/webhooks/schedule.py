"""When a delivery is attempted again (contract `workspace`)."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.conf import settings

#: The longest wait that a receiver can ask for, in seconds.
LONGEST_ASKED = 24 * 3600.0
JITTER = 0.2


def delay_after(attempts: int, asked: float | None = None) -> float | None:
    """Seconds from the last of so many attempts to the next, None after the last one. A receiver that asks for
    more time than the schedule gives has it, up to a day."""
    delays = settings.WEBHOOK_RETRY_DELAYS
    if attempts > len(delays):
        return None
    usual = delays[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return max(usual, min(asked or 0.0, LONGEST_ASKED))


def asked_delay(retry_after: str | None, now: datetime) -> float | None:
    """The header Retry-After, seconds or a date (RFC 9110, 10.2.3), in seconds from now; None where it says
    nothing that can be understood."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_ASKED)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_ASKED)
