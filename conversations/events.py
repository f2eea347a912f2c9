"""The event log: each change leaves one row, in its own transaction (contract `workspace`, webhooks)."""

from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.utils import timezone

from chatplatform.db.prepared import Insert

from .bell import bell
from .models import Conversation, Event

_insert = Insert(Event)


class Kind(TextChoices):
    CREATED = "conversation.created"
    UPDATED = "conversation.updated"
    DELETED = "conversation.deleted"
    READ = "conversation.read"
    PARTICIPANT_ADDED = "conversation.participant.added"
    PARTICIPANT_REMOVED = "conversation.participant.removed"
    MESSAGE_CREATED = "conversation.message.created"
    MESSAGE_UPDATED = "conversation.message.updated"
    NOTE_CREATED = "conversation.note.created"  # staff alone are told


#: What the data of an event names, by its kind: a message, a participant, who did it.
NAMES_MESSAGE = frozenset({Kind.MESSAGE_CREATED, Kind.MESSAGE_UPDATED})
NAMES_PARTICIPANT = frozenset({Kind.PARTICIPANT_ADDED, Kind.PARTICIPANT_REMOVED})
NAMES_ACTOR = frozenset({Kind.DELETED, Kind.READ})


def record(conversation: Conversation, kind: Kind, *, at: datetime | None = None, **data: Any) -> None:
    """Writes the event; the caller holds the conversation's lock. `at`: when it happened, if not now."""
    _insert(
        client_id=conversation.client_id,
        conversation_id=conversation.pk,
        kind=kind.value,
        data=data,
        created_at=at or timezone.now(),
    )
    bell.ring_on_commit()


def record_update(conversation: Conversation, changes: dict[str, list[Any]], *, at: datetime | None = None) -> None:
    """`changes` is {field: [old, new]}; nothing changed, nothing told."""
    if changes:
        record(conversation, Kind.UPDATED, at=at, changes=changes)
