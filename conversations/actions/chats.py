"""Chats that a bot runner opens, again and again until it has an answer (contract `whatsapp`)."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from chatplatform.errors import Conflict
from clients.callers import Caller
from clients.models import Contact, new_uuid

from ..models import Conversation, Participant
from ..states import Status
from .lifecycle import create_conversation
from .people import Person


@transaction.atomic
def open_chat(*, client_id: int, by: Caller, values: dict[str, Any], at: datetime | None = None) -> Conversation:
    """A WhatsApp chat; the same `chat_id` with the values of the first request is that chat again.

    `values`: use_bot, name, number_client (digits or None), category, finished_chat, chat_id (or None).
    Raises Conflict where the client has the chat_id with other values.
    """
    values = dict(values)
    chat_id = values.pop("chat_id")
    if chat_id is not None and (chat := _chat(client_id, chat_id)):
        return _same(chat, values)
    try:
        with transaction.atomic():  # another call may have made it since
            return _create(client_id, by, chat_id, values, at or timezone.now())
    except IntegrityError:
        chat = _chat(client_id, chat_id) if chat_id is not None else None
        if chat is None:
            raise
        return _same(chat, values)


def _create(client_id: int, by: Caller, chat_id: str | None, values: dict[str, Any], at: datetime) -> Conversation:
    number = values["number_client"]
    people = []
    if number is not None:
        people = [Person(contact_id=contact_of_phone(client_id, number).pk, role=Participant.Role.CUSTOMER)]
    finished = values["finished_chat"]
    uuid = new_uuid()
    return create_conversation(
        client_id=client_id,
        by=by,
        channel="whatsapp",
        people=people,
        at=at,
        uuid=uuid,
        chat_id=chat_id or str(uuid),  # what was answered as chatId names it in a retry too
        title=values["name"],
        category=values["category"],
        use_bot=values["use_bot"],
        status=Status.RESOLVED if finished else Status.NEW,
        status_changed_at=at if finished else None,
        origin=values,
    )


def _chat(client_id: int, chat_id: str) -> Conversation | None:
    chat: Conversation | None = Conversation.objects.alive().filter(client_id=client_id, chat_id=chat_id).first()
    return chat


def _same(chat: Conversation, values: dict[str, Any]) -> Conversation:
    if chat.origin != values:
        differing = [name for name, value in values.items() if chat.origin.get(name) != value]
        raise Conflict(
            "Chat ID already exists", fields={"chat_id": [f"made with other values of {', '.join(differing)}"]}
        )
    return chat


def contact_of_phone(client_id: int, digits: str) -> Contact:
    """The client's contact with this number, made once however many ask at the same time."""
    known = Contact.objects.for_client(client_id).with_phone(digits).first()
    if known is not None:
        result: Contact = known
        return result
    contact, _ = Contact.objects.get_or_create(
        client_id=client_id,
        source="phone",
        source_key=digits,
        defaults={"contact_id": f"contact_{new_uuid().hex}", "phone": digits},
    )
    made: Contact = contact
    return made
