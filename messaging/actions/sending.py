"""New messages: everything that one moves, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from chatplatform.errors import (
    Forbidden,
    Invalid,
    InvalidParticipant,
    MessageTooLarge,
)
from clients.callers import Caller
from conversations import actions as conversation_actions
from conversations import events, sessions
from conversations.actions import Target, ensure_open, lock, save
from conversations.models import Conversation, Participant
from conversations.states import AFTER_AGENT, AFTER_CUSTOMER, Status

from .. import incoming, statements
from ..links import linked_file
from ..models import MAX_TEXT_BYTES, Attachment, Message, Upload
from ..senders import Sender
from ..text import PREVIEW, plain_text


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
    only_participants: bool = False,
    for_bots: bool = True,
    **columns: Any,
) -> Message:
    """Adds a message that all who may see the conversation see.

    A customer's message reopens a resolved conversation and ends waiting; an agent's first makes a
    new one active. One that anti-spam holds has its place and its files, and moves nothing until it is
    released: its visibility says so. Raises NotFound, ConversationClosed, MessageTooLarge, Forbidden (the caller has no
    right to write), with `only_participants` InvalidParticipant where the sender does not take part or
    may not write. Not `for_bots`: no bot answers by itself. `columns` are further columns of Message.
    """
    if len(text.encode()) > MAX_TEXT_BYTES or (content and len(orjson.dumps(content)) > MAX_TEXT_BYTES):
        raise MessageTooLarge
    row = lock(conversation)
    ensure_open(row)
    if getattr(row, "caller_can_write", True) is False:
        raise Forbidden("You may not write here")
    if only_participants and not _may_write(row, sender):
        raise InvalidParticipant("The sender does not take part or may not write")
    link = linked_file(type, content or {})
    message = _next(
        row, sender, type=type, text=text, content=content or {}, metadata=metadata or {},
        attachment_count=len(uploads) + (link is not None), **columns,
    )  # fmt: skip
    if sender.is_customer:
        incoming.screen(row, message)
    statements.insert(message, row)
    _attach(message, uploads)
    if link is not None:
        Attachment.objects.create(message=message, **link)
    if message.visibility == Message.Visibility.HELD:
        save(row, last_seq=message.seq, updated_at=row.updated_at)
        return message
    count_in(row, message, sender, by)
    if sender.is_customer:
        incoming.react(row, message, for_bots=for_bots)
    return message


def add_reply(row: Conversation, sender: Sender, text: str, *, at: datetime) -> Message:
    """What the server itself says in a locked, open conversation."""
    message = _next(row, sender, type=Message.Type.TEXT, text=text, created_at=at)
    statements.insert(message, row)
    count_in(row, message, sender, None)
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
    statements.insert(note, row)
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


def count_in(row: Conversation, message: Message, sender: Sender, by: Caller | None) -> None:
    """Everything of the conversation that a new public message moves; an auto-reply is unread by nobody."""
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
    elif sender.answers:
        row.owner_unread += 1
        row.waiting_since = None
        new = AFTER_AGENT.get(Status(row.status), row.status)
    for name, value in conversation_actions.apply_status(row, new, by=by, reason="message", at=at).items():
        setattr(row, name, value)
    statements.save_figures(row)
    statements.touch_participants(
        conversation=row.pk, at=at, sender=sender.user_id or 0, unread=0 if sender.is_system_agent else 1
    )
    events.record(row, events.Kind.MESSAGE_CREATED, at=at, message=str(message.uuid), seq=message.seq)
    if new != old:
        events.record_update(row, {"status": [old, new]}, at=at)
    if sender.is_customer and row.snoozed_until is not None:
        conversation_actions.wake(row, at=at)


def _may_write(row: Conversation, sender: Sender) -> bool:
    person = {"user_id": sender.user_id, "contact_id": sender.contact_id, "agent_id": sender.agent_id}
    # Erased since the call began: what they would have written says who they were.
    people = Participant.objects.present().filter(conversation=row, can_write=True, **person)
    return people.filter(contact__erased_at=None).exists()


def _attach(message: Message, uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        ready = Upload.objects.filter(
            pk=upload.pk, state=Upload.State.READY, conversation=message.conversation_id, removed_at=None
        )
        taken = ready.update(state=Upload.State.USED)
        if not taken:
            raise Invalid("File not usable", fields={"attachments": [f"{upload.uuid} is not available"]})
        Attachment.objects.create(
            message=message,
            upload=upload,
            file_name=upload.file_name,
            file_type=upload.content_type,
            file_size=upload.size,
        )
