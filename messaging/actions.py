"""Writes of messages. Each is atomic and moves the conversation's counters with the message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import Conflict, Forbidden, Invalid, MessageTooLarge, NotFound
from clients.callers import Caller
from conversations import actions as conversation_actions
from conversations import events, sessions
from conversations.actions import Target, ensure_open, lock, save
from conversations.models import Conversation
from conversations.states import AFTER_AGENT, AFTER_CUSTOMER, Status

from . import statements
from .counters import recount
from .models import MAX_TEXT_BYTES, Attachment, Message, Upload
from .senders import Sender
from .text import PREVIEW, plain_text

_RANK = {Message.Status.SENT: 0, Message.Status.DELIVERED: 1, Message.Status.READ: 2, Message.Status.FAILED: 3}


@transaction.atomic
def send_message(
    *,
    conversation: Target,
    sender: Sender,
    by: Caller | None = None,
    text: str = "",
    type: str = Message.Type.TEXT,
    content: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    uploads: Sequence[Upload] = (),
    **columns: Any,
) -> Message:
    """Adds a message that all who may see the conversation see.

    A customer's message reopens a resolved conversation and ends waiting; an agent's first makes a
    new one active. Raises NotFound, ConversationClosed, MessageTooLarge, Forbidden (no right to write).
    `columns` are further columns of Message.
    """
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise MessageTooLarge
    row = lock(conversation)
    ensure_open(row)
    if getattr(row, "caller_can_write", True) is False:
        raise Forbidden("You may not write here")
    message = _next(
        row, sender, type=type, text=text, content=content or {}, metadata=metadata or {},
        attachment_count=len(uploads), **columns,
    )  # fmt: skip
    statements.insert(message)
    _attach(message, uploads)
    _count_in(row, message, sender, by)
    return message


@transaction.atomic
def add_note(*, conversation: Target, sender: Sender, text: str, at: datetime | None = None) -> Message:
    """A private note of staff to staff: it moves no counter, and no end user learns of it."""
    if not text.strip():
        raise Invalid("A note needs text", fields={"text": ["This field may not be blank."]})
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise MessageTooLarge
    row = lock(conversation)
    times = {"created_at": at} if at else {}
    note = _next(row, sender, type=Message.Type.TEXT, text=text, visibility=Message.Visibility.PRIVATE, **times)
    statements.insert(note)
    save(row, last_seq=note.seq)
    events.record(row, events.Kind.NOTE_CREATED, at=note.created_at, message=str(note.uuid))
    return note


def _next(row: Conversation, sender: Sender, **columns: Any) -> Message:
    """The next message of a locked conversation, not yet stored."""
    # Live messages never step back in time, whatever the clocks of two servers say.
    now = columns.setdefault("created_at", max(timezone.now(), row.last_message_at or row.created_at))
    row.last_seq += 1
    return Message(
        client_id=row.client_id,
        conversation_id=row.pk,
        seq=row.last_seq,
        sender_user_id=sender.user_id,
        sender_contact_id=sender.contact_id,
        sender_agent_id=sender.agent_id,
        sender_name=sender.name,
        is_customer=sender.is_customer,
        updated_at=now,
        **columns,
    )


def _count_in(row: Conversation, message: Message, sender: Sender, by: Caller | None) -> None:
    """Everything of the conversation that a new public message moves."""
    at = message.created_at
    if row.last_message_at is not None and at < row.last_message_at:
        raise Invalid("Older than the newest message", fields={"created_at": ["is before the newest message"]})
    old, new = row.status, row.status
    row.session_started_at = sessions.extend(row, at)
    row.last_seq = row.last_message_seq = message.seq
    row.message_count += 1
    row.last_message_at = row.activity_at = row.updated_at = at
    row.last_message_text = plain_text(message.type, message.text, message.content)[:PREVIEW]
    if sender.is_customer:
        row.staff_unread += 1
        row.waiting_since = row.waiting_since or at
        new = AFTER_CUSTOMER.get(Status(row.status), row.status)
    elif sender.agent_id is not None:
        row.owner_unread += 1
        if sender.answers:
            row.waiting_since = None
            new = AFTER_AGENT.get(Status(row.status), row.status)
    for name, value in conversation_actions.apply_status(row, new, by=by, reason="message", at=at).items():
        setattr(row, name, value)
    statements.save_figures(row)
    statements.touch_participants(conversation=row.pk, at=at, sender=sender.user_id or 0)
    events.record(row, events.Kind.MESSAGE_CREATED, at=at, message=str(message.uuid), seq=message.seq)
    if new != old:
        events.record_update(row, {"status": [old, new]}, at=at)


def _attach(message: Message, uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        taken = Upload.objects.filter(pk=upload.pk, state=Upload.State.READY).update(state=Upload.State.USED)
        if not taken:
            raise Invalid("File not usable", fields={"attachments": [f"{upload.uuid} is not available"]})
        Attachment.objects.create(
            message=message,
            upload=upload,
            file_name=upload.file_name,
            file_type=upload.content_type,
            file_size=upload.size,
        )


@transaction.atomic
def update_message(
    *, conversation: Target, message_id: int, metadata: dict[str, Any] | None = None, status: str | None = None
) -> Message:
    """Merges metadata (a null removes its key), moves the status forward; the content never changes.

    Raises Conflict where the status would go back, or leave `failed`.
    """
    row = lock(conversation)
    message = _find(row, message_id)
    changes: dict[str, Any] = {}
    if status is not None and status != message.status:
        if (
            message.status == Message.Status.FAILED
            or _RANK[Message.Status(status)] < _RANK[Message.Status(message.status)]
        ):
            raise Conflict(f"Cannot change message status from {message.status} to {status}")
        changes["status"] = status
    if metadata:
        merged = {**message.metadata, **metadata}
        merged = {key: value for key, value in merged.items() if value is not None}
        if merged != message.metadata:
            changes["metadata"] = merged
    if changes:
        told = {name: [getattr(message, name), value] for name, value in changes.items()}
        Message.objects.filter(pk=message.pk).update(**changes, updated_at=timezone.now())
        events.record(row, events.Kind.MESSAGE_UPDATED, message=str(message.uuid), changes=told)
        message.refresh_from_db()
    return message


@transaction.atomic
def delete_message(*, conversation: Target, message_id: int, by: Caller) -> None:
    """Out of lists and counters; the row stays for the audit trail."""
    row = lock(conversation)
    message = _find(row, message_id)
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(deleted_at=now, updated_at=now)
    if message.visibility == Message.Visibility.PUBLIC:
        recount(row)
        events.record(row, events.Kind.MESSAGE_UPDATED, message=str(message.uuid), deleted=True, by=by.name)


def _find(row: Conversation, message_id: int) -> Message:
    message: Message | None = Message.objects.of(row.pk).filter(pk=message_id, deleted_at=None).first()
    if message is None:
        raise NotFound("Message")
    return message
