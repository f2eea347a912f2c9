"""What a conversation is called by and carries, and what its history tells of that."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from chatplatform.db.batches import batched
from chatplatform.text import fold
from clients.fields import own_entries
from clients.models import Contact
from conversations.events import Kind
from conversations.models import Conversation, ConversationTag, Event, Participant, StateChange, Tag
from conversations.silent import changed_silently

from ..models import Message
from . import traces
from .messages import GONE
from .person import Person

#: What may say anything of the customer.
_FREE: dict[str, Any] = {
    "title": "", "room": None, "chat_id": None, "external_id": None, "taggable_type": None, "taggable_id": None,
    "origin": {}, "metadata": {}, "flag_reasons": [],
}  # fmt: skip
#: What sorts conversations; it goes where it names the person.
_SORTING: dict[str, Any] = {"channel": "erased", "category": "general", "kind": "chat", "queue": "", "bot_id": None}
_WRITTEN = (*_FREE, *_SORTING, "last_message_text", "title_folded")
#: Fields whose old and new values an event may go on telling.
_TOLD = frozenset({
    "status", "is_archived", "is_pinned", "is_flagged", "assigned_agent", "owner", "participant", "visibility",
})  # fmt: skip
#: Events that tell ids and places only.
_BARE = (Kind.MESSAGE_CREATED, Kind.NOTE_CREATED)


def erase(contact: Contact, rows: Sequence[Conversation], person: Person) -> None:
    """In these conversations, which are locked and whose messages are erased. Where another customer takes
    part, what names nobody stays: it may be theirs."""
    shared = _with_others(contact, rows)
    for row in rows:
        for name, blank in {**_FREE, **_SORTING}.items():
            value = getattr(row, name)
            if (name in _FREE and row.pk not in shared) or name == "flag_reasons" or person.is_in(value):
                setattr(row, name, own_entries(value) if name == "metadata" else blank)
        row.title_folded = fold(row.label)
    Conversation.objects.bulk_update(rows, _WRITTEN, batch_size=100)
    changed_silently([row.pk for row in rows])
    _erase_events(contact, rows, shared, person)
    _erase_states(rows, person)
    _erase_tags(rows, person)


def _with_others(contact: Contact, rows: Sequence[Conversation]) -> set[int]:
    """Those in which another contact or an end user takes or took part, or wrote."""
    contacts = Q(contact__isnull=False, contact__erased_at=None) & ~Q(contact=contact)
    people = Participant.objects.filter(contacts | Q(user__isnull=False, user__is_staff=False), conversation__in=rows)
    writers = Q(sender_contact__isnull=False, sender_contact__erased_at=None) & ~Q(sender_contact=contact)
    wrote = Message.objects.filter(writers, conversation__in=rows).order_by()
    return {
        *people.values_list("conversation_id", flat=True),
        *wrote.values_list("conversation_id", flat=True).distinct(),
        *(row.pk for row in rows if row.owner_id is not None),
    }


def _erase_events(contact: Contact, rows: Sequence[Conversation], shared: set[int], person: Person) -> None:
    theirs = {
        str(uuid) for uuid in Message.objects.filter(sender_contact=contact, conversation__in=rows).values_list(
            "uuid", flat=True
        )
    }  # fmt: skip
    changed = []
    for event in Event.objects.filter(conversation__in=rows).exclude(kind__in=_BARE).iterator(chunk_size=500):
        everything = event.conversation_id not in shared or event.data.get("message") in theirs
        data = {name: _told(name, value, everything, person) for name, value in event.data.items()}
        if data != event.data:
            event.data = data
            changed.append(event)
    Event.objects.bulk_update(changed, ["data"], batch_size=200)


def _told(name: str, value: Any, everything: bool, person: Person) -> Any:
    if name == "changes":
        return {
            field: [None, None] if (everything and field not in _TOLD) or person.is_in(values) else values
            for field, values in value.items()
        }
    return "" if isinstance(value, str) and person.is_in(value) else value


def _erase_states(rows: Sequence[Conversation], person: Person) -> None:
    for change in StateChange.objects.filter(conversation__in=rows).exclude(by_name="", reason=""):
        said = {name: "" for name in ("by_name", "reason") if person.is_in(getattr(change, name))}
        if said:
            StateChange.objects.filter(pk=change.pk).update(**said)


def _erase_tags(rows: Sequence[Conversation], person: Person) -> None:
    """A tag that names them leaves their conversations."""
    tags = Tag.objects.filter(taggings__conversation__in=rows).distinct()
    named = [tag.pk for tag in tags if person.is_in(tag.name)]
    if named:
        ConversationTag.objects.filter(conversation__in=rows, tag__in=named).delete()


def erase_unused_tags(client_id: int, person: Person) -> None:
    """Those of the client's list that name them and that no conversation has, or has any more."""
    tags = Tag.objects.for_client(client_id).filter(taggings=None).order_by().values_list("pk", "name")
    named = [pk for pk, name in tags.iterator(chunk_size=1000) if person.is_in(name)]
    for pks in batched(named, 500):
        Tag.objects.filter(pk__in=pks).delete()
    traces.rename(Tag, dict.fromkeys(named, GONE))
