"""When a customer was answered: the one definition behind every response time (docs/analytics.md)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

_Rest = TypeVar("_Rest")


def answers(lines: Iterable[tuple[bool, datetime, _Rest]]) -> Iterator[tuple[datetime, timedelta, _Rest]]:
    """Each message that answers: when, how long after the first unanswered customer message, and its rest.

    `lines` are messages of both sides in their order: whether a customer's, when, and whatever else. An import
    may have an answer with an earlier time than its question: that took no time.
    """
    waiting: datetime | None = None
    for is_customer, at, rest in lines:
        if is_customer:
            waiting = waiting or at
        elif waiting is not None:
            yield at, max(at - waiting, timedelta(0)), rest
            waiting = None
