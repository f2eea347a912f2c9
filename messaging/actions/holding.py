"""What staff make of the marks of anti-spam."""

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import NotFound
from clients.callers import Caller
from conversations import events
from conversations.actions import Target, ensure_open, lock, save

from .. import incoming, statements
from ..models import Message
from ..senders import Sender
from .changes import settle_flag
from .sending import count_in


@transaction.atomic
def release_message(*, conversation: Target, message_id: int, by: Caller) -> Message:
    """A held message comes in now, as one that is sent now: it takes the next place, and everything follows.

    Whoever reads on from where they were finds it there; its old place keeps a line that staff see.
    Raises NotFound (also where it is not held any more), ConversationClosed.
    """
    row = lock(conversation)
    ensure_open(row)
    message: Message | None = Message.objects.of(row.pk).held().filter(pk=message_id).first()
    if message is None:
        raise NotFound("Message")
    place, held_at = message.seq, message.created_at
    now = max(timezone.now(), row.last_message_at or row.created_at)
    values = {
        "seq": row.last_seq + 1,
        "visibility": Message.Visibility.PUBLIC,
        "created_at": now,
        "updated_at": now,
    }
    Message.objects.filter(pk=message.pk).update(**values)
    for name, value in values.items():
        setattr(message, name, value)
    line = Message(
        client_id=row.client_id,
        conversation_id=row.pk,
        seq=place,
        type=Message.Type.EVENT,
        visibility=Message.Visibility.PRIVATE,
        text=f"A message was held here by anti-spam; {by.name} released it.",
        created_at=held_at,
        updated_at=now,
    )
    statements.insert(line, row)
    count_in(row, message, _sender_of(message), by)
    # What a user wrote may have come through `assistant`, whose program asks for answers itself.
    incoming.react(row, message, for_bots=message.sender_contact_id is not None)
    return message


@transaction.atomic
def clear_flag(*, conversation: Target, by: Caller, message_id: int | None = None) -> None:
    """Takes the flag from a message, or from the conversation itself; the reasons stay with the message.

    The conversation's goes with that of its last flagged message. Raises NotFound.
    """
    row = lock(conversation)
    if message_id is not None:
        flagged = Message.objects.of(row.pk).filter(is_flagged=True, deleted_at=None)
        message: Message | None = flagged.filter(pk=message_id).first()
        if message is None:
            raise NotFound("Message")
        Message.objects.filter(pk=message.pk).update(is_flagged=False, updated_at=timezone.now())
        if message.visibility == Message.Visibility.PUBLIC:
            changes = {"is_flagged": [True, False]}
            events.record(row, events.Kind.MESSAGE_UPDATED, message=str(message.uuid), changes=changes, by=by.name)
        settle_flag(row)
    elif row.is_flagged:
        save(row, is_flagged=False, flag_reasons=[])


def _sender_of(message: Message) -> Sender:
    """The customer who wrote it."""
    return Sender(
        user_id=message.sender_user_id,
        contact_id=message.sender_contact_id,
        name=message.sender_name,
        is_customer=True,
    )
