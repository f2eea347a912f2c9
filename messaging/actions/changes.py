"""What becomes of a message later."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import (
    NotFound,
    TransitionRefused,
)
from clients.callers import Caller
from clients.fields import merged
from conversations import events
from conversations.actions import Target, ensure_open, lock, save
from conversations.models import Conversation

from ..counters import recount
from ..models import Message

_RANK = {Message.Status.SENT: 0, Message.Status.DELIVERED: 1, Message.Status.READ: 2, Message.Status.FAILED: 3}


@transaction.atomic
def update_message(*, conversation: Target, message_id: int, **changes: Any) -> Message:
    """Changes its status (forward only), its metadata (merged, a null removes its key; None clears it), or
    both; the content never changes.

    What is so already is no change; a closed conversation takes no metadata, but still learns what was
    delivered and read. Raises ConversationClosed, Invalid (metadata that grew too large),
    TransitionRefused where the status would go back, or leave `failed`.
    """
    row = lock(conversation)
    message = _find(row, message_id)
    if "metadata" in changes:
        given = changes["metadata"]
        changes["metadata"] = {} if given is None else merged(message.metadata, given)
    values = {name: value for name, value in changes.items() if getattr(message, name) != value}
    if not values:
        return message
    if "metadata" in values:
        ensure_open(row)
    if "status" in values:
        old, new = Message.Status(message.status), Message.Status(values["status"])
        if old == Message.Status.FAILED or _RANK[new] < _RANK[old]:
            raise TransitionRefused(old, new)
    told = {name: [getattr(message, name), value] for name, value in values.items()}
    Message.objects.filter(pk=message.pk).update(**values, updated_at=timezone.now())
    events.record(row, events.Kind.MESSAGE_UPDATED, message=str(message.uuid), changes=told)
    for name, value in values.items():
        setattr(message, name, value)
    return message


@transaction.atomic
def delete_message(*, conversation: Target, message_id: int, by: Caller) -> None:
    """Out of lists and counters; the row stays for the audit trail. Its flag no longer marks the conversation."""
    row = lock(conversation)
    message = _find(row, message_id)
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(deleted_at=now, updated_at=now)
    if message.visibility == Message.Visibility.PUBLIC:
        recount(row)
        events.record(row, events.Kind.MESSAGE_UPDATED, message=str(message.uuid), deleted=True, by=by.name)
    if message.is_flagged:
        settle_flag(row)


def settle_flag(row: Conversation) -> None:
    """The mark of a flagged, locked conversation after one of its messages lost its own: that of the newest
    message that has one still, else none. Silent, as it came: the message may be held."""
    if row.is_flagged:
        flagged = Message.objects.of(row.pk).filter(is_flagged=True, deleted_at=None).order_by("-seq")
        reasons = flagged.values_list("flag_reasons", flat=True).first()
        save(row, is_flagged=reasons is not None, flag_reasons=reasons or [], updated_at=row.updated_at)


def _find(row: Conversation, message_id: int) -> Message:
    message: Message | None = Message.objects.of(row.pk).filter(pk=message_id, deleted_at=None).first()
    if message is None:
        raise NotFound("Message")
    return message
