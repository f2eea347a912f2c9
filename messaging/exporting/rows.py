"""What the archive tells of each row, and which rows are the contact's to see."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from chatplatform.db.batches import batched
from clients.models import Contact
from conversations.events import Kind
from conversations.models import Conversation, Event, Participant

from ..models import Attachment, Message, Upload
from ..querysets import COUNTED

_PAGE = 500


@dataclass(frozen=True)
class Part:
    """A conversation, and until when its messages were theirs to read (None: they still take part)."""

    conversation: Conversation
    until: datetime | None


def participations(row: Contact) -> Iterator[Part]:
    """Also those they left, and those they wrote in without taking part; the oldest first. Deleted ones too:
    they are still held."""
    parts: dict[int, datetime | None] = {}
    for people in (
        Participant.objects.filter(contact=row, removed_at__isnull=False),
        Participant.objects.filter(contact=row, removed_at=None),
    ):
        for pk, left in people.order_by("removed_at").values_list("conversation_id", "removed_at"):
            parts[pk] = left
    wrote = Message.objects.filter(sender_contact=row).order_by().values_list("conversation_id", flat=True).distinct()
    for pk in wrote:
        parts.setdefault(pk, datetime.min.replace(tzinfo=UTC))
    ids = sorted(parts)
    for pks in batched(ids, _PAGE):
        for conversation in Conversation.objects.filter(pk__in=pks).order_by("pk"):
            yield Part(conversation, parts[conversation.pk])


def messages(row: Contact, part: Part) -> Iterator[tuple[Message, list[Attachment]]]:
    """All that they wrote, deleted and held ones too; of the others' what everybody there could read. Private
    notes are the staff's own."""
    theirs, seen = Q(sender_contact=row), COUNTED
    if part.until is not None:
        seen = seen & Q(created_at__lte=part.until)
    rows = Message.objects.of(part.conversation.pk).filter(theirs | seen).select_related("sender_agent", "sender_user")
    after = 0
    while page := list(rows.filter(seq__gt=after).order_by("seq")[:_PAGE]):
        of: dict[int, list[Attachment]] = defaultdict(list)
        for one in Attachment.objects.filter(message__in=page).select_related("upload").order_by("id"):
            of[one.message_id].append(one)
        for message in page:
            yield message, of[message.pk]
        after = page[-1].seq


def waiting_files(row: Contact, part: Part) -> list[Upload]:
    """Received and in no message yet: a client program brought them for its customer. Where another contact takes or
    took part, nobody can tell whose they are; what users brought is theirs."""
    others = Participant.objects.filter(conversation=part.conversation, contact__isnull=False).exclude(contact=row)
    if others.exists():
        return []
    files = Upload.objects.filter(
        conversation=part.conversation, state=Upload.State.READY, removed_at=None, attachment=None, created_by_user=None
    )
    if part.until is not None:
        files = files.filter(received_at__lte=part.until)
    return list(files.order_by("id"))


def time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def contact(row: Contact) -> dict[str, Any]:
    return {
        "id": row.contact_id,
        "name": row.name,
        "phone": row.phone or None,
        "email": row.email or None,
        "former": row.former,
        "metadata": row.metadata,
        "source": row.source or None,
        "source_key": row.source_key,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def conversation(row: Conversation) -> dict[str, Any]:
    people = row.participants.select_related("user", "contact", "agent").order_by("id")  # type: ignore[attr-defined]
    events = Event.objects.filter(conversation=row).exclude(kind=Kind.NOTE_CREATED).order_by("id")
    return {
        "id": str(row.uuid),
        **{
            name: getattr(row, name)
            for name in (
                "title", "channel", "kind", "category", "status", "queue", "chat_id", "room", "external_id",
                "taggable_type", "taggable_id", "origin", "metadata", "is_flagged", "flag_reasons",
            )
        },
        **{name: time(getattr(row, name)) for name in ("created_at", "updated_at", "last_message_at", "deleted_at")},
        "participants": [
            {
                "kind": "user" if one.user_id else "contact" if one.contact_id else "agent",
                "name": one.person.name,
                "role": one.role,
                "joined_at": time(one.joined_at),
                "removed_at": time(one.removed_at),
            }
            for one in people
        ],
        "tags": list(row.taggings.order_by("id").values_list("tag__name", flat=True)),  # type: ignore[attr-defined]
        "states": [
            {"from": one.old, "to": one.new, "by": one.by_name, "why": one.reason, "at": time(one.created_at)}
            for one in row.state_changes.order_by("id")  # type: ignore[attr-defined]
        ],
        "sessions": [
            {"start": time(one.session_start), "end": time(one.session_end), "messages": one.messages_count}
            for one in row.sessions.order_by("session_start")  # type: ignore[attr-defined]
        ],
        "events": [
            {"event": one.kind, "at": time(one.created_at), "data": one.data}
            for one in events.iterator(chunk_size=_PAGE)
        ],
    }  # fmt: skip


def message(row: Contact, one: Message) -> dict[str, Any]:
    own = one.sender_contact_id == row.pk
    shown: dict[str, Any] = {
        "id": str(one.uuid),
        "no": one.seq,
        "at": time(one.created_at),
        "by": one.sender_name,
        "by_contact": own,
        "type": one.type,
        "text": one.text,
        "content": {name: value for name, value in one.content.items() if name != "upload"},
        "status": one.status,
    }
    if own:
        shown |= {
            "metadata": one.metadata,
            "held": one.visibility == Message.Visibility.HELD,
            "flagged": one.is_flagged,
            "flag_reasons": one.flag_reasons,
            "deleted_at": time(one.deleted_at),
        }
    return shown


def has_bytes(one: Attachment) -> bool:
    upload = one.upload
    return upload is not None and upload.removed_at is None and upload.state == Upload.State.USED


def waiting_file(one: Upload, path: str) -> dict[str, Any]:
    return {
        "id": str(one.uuid),
        "file_name": one.file_name,
        "file_type": one.content_type,
        "file_size": one.size,
        "received_at": time(one.received_at),
        "file": path,
    }


def attachment(one: Attachment, path: str) -> dict[str, Any]:
    return {
        "id": str(one.uuid),
        "file_name": one.file_name,
        "file_type": one.file_type,
        "file_size": one.file_size,
        "url": one.url or None,
        "file": path if has_bytes(one) else None,
    }
