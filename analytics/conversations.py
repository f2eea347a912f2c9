"""The figures of one conversation (docs/analytics.md says in words what each is)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TypedDict

from conversations.states import FINISHED, Status
from messaging.models import Message

from .answers import answers


class Metrics(TypedDict):
    """Times in seconds; None where there is nothing to measure."""

    duration: float | None
    message_count: int
    response_time_avg: float | None
    first_response_time: float | None
    participant_count: int
    resolution_time: float | None


def metrics(conversation: dict[str, Any]) -> Metrics:
    """Of a conversation by its values; one query, however many messages it has.

    Values: id, status, status_changed_at, created_at, last_message_at, message_count, participant_count.
    """
    began, changed = conversation["created_at"], conversation["status_changed_at"]
    ended = changed if conversation["status"] == Status.CLOSED else conversation["last_message_at"]
    responses = list(response_times(_sides(conversation["id"])))
    return {
        "duration": _seconds(began, ended),
        "message_count": conversation["message_count"],
        "response_time_avg": round(sum(responses) / len(responses), 3) if responses else None,
        "first_response_time": round(responses[0], 3) if responses else None,
        "participant_count": conversation["participant_count"],
        "resolution_time": _seconds(began, changed) if conversation["status"] in FINISHED else None,
    }


def response_times(sides: Iterable[tuple[bool, datetime]]) -> Iterator[float]:
    """Seconds from each first unanswered customer message to the agent's message that answered it.

    `sides` are messages in their order: whether a customer's (else an agent's), and when.
    """
    return (took.total_seconds() for _, took, _ in answers((is_customer, at, None) for is_customer, at in sides))


def _sides(conversation_id: int) -> Iterable[tuple[bool, datetime]]:
    """Messages that all see, of customers and of those who answer them: not of the client's own voice."""
    rows = Message.objects.of(conversation_id).counted().from_both_sides()
    sides: Iterable[tuple[bool, datetime]] = rows.order_by("seq").values_list("is_customer", "created_at").iterator()
    return sides


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else round((end - start).total_seconds(), 3)
