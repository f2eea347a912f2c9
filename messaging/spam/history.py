"""What the sender has written just before: the same again, and how much at once.

One look at the newest messages of the sender along their own index, never at more than LOOK_BACK. Those
of the same conversation are all there, for its lock is held; of the client's other conversations, those
that were committed by then.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Left

from chatplatform.db.prepared import Rows, integer

from ..models import Message
from . import points
from .folding import seen, words
from .reasons import Reason, reason

LOOK_BACK = 40  # messages
_COMPARED = 300  # characters
_SHORT = 5  # a single word of so few letters ("ok", "hola") is said more often

_NEWEST = {
    kind: Rows(
        lambda kind=kind: (  # type: ignore[misc]
            Message.objects.filter(**{f"sender_{kind}": integer("sender")})
            .order_by("-id")
            .annotate(beginning=Left("text", _COMPARED))
            .values("created_at", "type", "beginning")
        ),
        paged=True,
    )
    for kind in ("contact", "user")
}


def reasons(message: Message) -> list[Reason]:
    """Of a message that is not stored yet."""
    kind = "contact" if message.sender_contact_id is not None else "user"
    sender = message.sender_contact_id if message.sender_contact_id is not None else message.sender_user_id
    before = _NEWEST[kind].dicts(sender=sender, limit=LOOK_BACK, offset=0)
    return [*_repeated(message, before), *_burst(message, before)]


def _repeated(message: Message, before: list[dict[str, Any]]) -> list[Reason]:
    said = _said(message.text)
    if not said:
        return []
    recent = _since(before, message.created_at, points.REPEATED_SECONDS)
    times = sum(_said(row["beginning"]) == said for row in recent)
    if len(said) == 1 and len(said[0]) <= _SHORT:
        times //= 2
    for least, worth in points.REPEATED:
        if times >= least:
            return [reason("repeated", worth, f"{times + 1} times in {points.REPEATED_SECONDS // 60} minutes")]
    return []


def _burst(message: Message, before: list[dict[str, Any]]) -> list[Reason]:
    """The heaviest of the bursts that it is part of. Photos come by the dozen, so they weigh half."""
    heaviest: Reason | None = None
    for seconds, steps in points.BURSTS:
        rows = [{"type": message.type}, *_since(before, message.created_at, seconds)]
        count = sum(1 if row["type"] == Message.Type.TEXT else 0.5 for row in rows)
        worth = next((worth for least, worth in steps if count >= least), 0.0)
        if worth > (heaviest["points"] if heaviest else 0):
            heaviest = reason("burst", worth, f"{len(rows)} messages in {seconds} seconds")
    return [heaviest] if heaviest else []


def _since(rows: list[dict[str, Any]], at: datetime, seconds: int) -> list[dict[str, Any]]:
    return [row for row in rows if row["created_at"] > at - timedelta(seconds=seconds)]


def _said(text: str) -> list[str]:
    return words(seen(text[:_COMPARED]))
