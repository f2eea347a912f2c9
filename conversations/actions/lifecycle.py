"""From creation to deletion, and the state machine between."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import ConversationClosed, Forbidden, TransitionRefused
from chatplatform.text import fold
from clients.callers import Caller
from clients.fields import merged

from .. import events
from ..models import Conversation, Participant, StateChange
from ..states import ALLOWED, Status
from .locking import Target, lock, save
from .people import Person, ensure_group, new_participants
from .tagging import by_fold, replace_tags, tag_conversation, tag_names

#: What every participant may change; the rest is for the owner and staff.
_ANYONE_MAY = frozenset({"is_archived"})
#: What a closed conversation still takes.
_CLOSED_TAKES = frozenset({"is_archived", "is_pinned"})
#: What a conversation is called by, the first that there is.
_LABEL = frozenset({"title", "room", "channel"})


@transaction.atomic
def create_conversation(
    *,
    client_id: int,
    by: Caller,
    channel: str,
    people: Sequence[Person] = (),
    tags: Sequence[str] = (),
    at: datetime | None = None,
    **columns: Any,
) -> Conversation:
    """A new conversation with its first participants, in their order. The first agent among them is in
    charge, unless an `assigned_agent` is named.

    `columns` are columns of Conversation; `at` is its time of creation (UTC, now by default). Raises
    InvalidParticipant (twice the same), LimitReached (over 100).
    """
    ensure_group(people)
    at = at or timezone.now()
    if "assigned_agent" not in columns:
        columns["assigned_agent_id"] = next((person.agent_id for person in people if person.agent_id), None)
    conversation = Conversation(
        client_id=client_id, channel=channel, created_at=at, updated_at=at, activity_at=at, **columns
    )
    conversation.title_folded = fold(conversation.label)
    conversation.participant_count = len(people)
    conversation.save(force_insert=True)
    new_participants(conversation, people, at=at)
    tag_conversation(conversation, tags)
    events.record(conversation, events.Kind.CREATED, at=at, by=by.name)
    return conversation


def ensure_open(conversation: Conversation) -> None:
    if conversation.status == Status.CLOSED:
        raise ConversationClosed


def state_metadata(old: str, at: datetime) -> dict[str, str]:
    """What every change of state writes into the metadata (contract `workspace`)."""
    return {"state_changed_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "previous_state": old}


def apply_status(
    conversation: Conversation, new: str, *, by: Caller | None, reason: str = "", at: datetime | None = None
) -> dict[str, Any]:
    """Moves a locked conversation to another state and keeps the history of it.

    Answers the columns to save; the caller saves them and tells of it. Raises ConversationClosed,
    TransitionRefused.
    """
    old = conversation.status
    if old == new:
        return {}
    if new not in ALLOWED[old]:
        ensure_open(conversation)
        raise TransitionRefused(old, new)
    now = at or timezone.now()
    StateChange.objects.create(
        conversation=conversation,
        old=old,
        new=new,
        by_user_id=by.user_id if by else None,
        by_name=by.name if by else "",
        reason=reason,
        created_at=now,
    )
    metadata = {**conversation.metadata, **state_metadata(old, now)}
    return {"status": new, "status_changed_at": now, "metadata": metadata}


@transaction.atomic
def change_status(
    *, conversation: Target, status: str, by: Caller, reason: str = "", at: datetime | None = None
) -> Conversation:
    """`at` is its time (UTC, now by default). Raises Forbidden, ConversationClosed, TransitionRefused."""
    row = lock(conversation)
    _ensure_may_manage(row, by)
    old = row.status
    if values := apply_status(row, status, by=by, reason=reason, at=at):
        save(row, **values, updated_at=values["status_changed_at"])
        events.record_update(row, {"status": [old, row.status]}, at=at)
    return row


@transaction.atomic
def update_conversation(
    *, conversation: Target, by: Caller, at: datetime | None = None, tags: Sequence[str] | None = None, **changes: Any
) -> Conversation:
    """Changes any of title, room, channel, bot_id, kind, queue, is_archived, is_pinned, status,
    assigned_agent (an Agent or None), snoozed_until (UTC, or None: the desk leaves it out until then, or until
    the customer writes), metadata (merged, a null removes its key; None clears it); `tags` become exactly its tags.

    What already has the value given is no change; all changes are one event. Raises Forbidden where the
    caller may not, Invalid, ConversationClosed and TransitionRefused.
    """
    from .people import reassign

    row = lock(conversation)
    if tags is not None or not changes.keys() <= _ANYONE_MAY:
        _ensure_may_manage(row, by)
    if "metadata" in changes:
        given = changes["metadata"]
        changes["metadata"] = {} if given is None else merged(row.metadata, given)
    values = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not values.keys() <= _CLOSED_TAKES or (row.status == Status.CLOSED and _differ(row, tags)):
        ensure_open(row)
    told = {name: [_plain(getattr(row, name)), _plain(value)] for name, value in values.items()}
    if "assigned_agent" in values:
        reassign(row, values["assigned_agent"], at=at)
    if "status" in values:
        row.metadata = values.get("metadata", row.metadata)  # the state's own entries win over the caller's
        values.update(apply_status(row, values.pop("status"), by=by, at=at))
        if "metadata" in told:
            told["metadata"][1] = values["metadata"]
    if label := {name: value for name, value in values.items() if name in _LABEL}:
        for name, value in label.items():
            setattr(row, name, value)
        values["title_folded"] = fold(row.label)
    if tags is not None and (changed := replace_tags(row, tags)):
        told["tags"] = changed
    if told:
        save(row, **values, updated_at=at or timezone.now())
        if "is_pinned" in values:
            Participant.objects.filter(conversation=row).update(is_pinned=values["is_pinned"])
        events.record_update(row, told, at=at)
    return row


@transaction.atomic
def delete_conversation(*, conversation: Target, by: Caller) -> None:
    """Out of every list and look-up at once; its `chat_id` is free again."""
    row = lock(conversation)
    _ensure_may_manage(row, by)
    save(row, deleted_at=timezone.now())
    events.record(row, events.Kind.DELETED, by=by.name)


def _ensure_may_manage(conversation: Conversation, by: Caller) -> None:
    """The owner, staff, tokens and the server itself may rename, close, reassign and delete."""
    if by.is_system or by.is_staff or by.token_id is not None:
        return
    if by.user_id is None or conversation.owner_id != by.user_id:
        raise Forbidden("Only the owner and staff may do this")


def _differ(row: Conversation, tags: Sequence[str] | None) -> bool:
    return tags is not None and by_fold(tags).keys() != by_fold(tag_names(row)).keys()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return getattr(value, "agent_id", value)


def wake(conversation: Conversation, *, at: datetime) -> None:
    """Ends the snooze of a locked conversation: its customer has written."""
    told = {"snoozed_until": [_plain(conversation.snoozed_until), None]}
    save(conversation, snoozed_until=None, updated_at=at)
    events.record_update(conversation, told, at=at)
