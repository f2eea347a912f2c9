"""The event log: each change leaves one row, in its own transaction (contract `workspace`, webhooks)."""

from typing import Any

from django.db.models import TextChoices

from .models import Conversation, Event


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


def record(conversation: Conversation, kind: Kind, **data: Any) -> None:
    """Writes the event; the caller holds the conversation's lock."""
    Event.objects.create(client_id=conversation.client_id, conversation_id=conversation.pk, kind=kind.value, data=data)


def record_update(conversation: Conversation, changes: dict[str, list[Any]]) -> None:
    """`changes` is {field: [old, new]}; nothing changed, nothing told."""
    if changes:
        record(conversation, Kind.UPDATED, changes=changes)
