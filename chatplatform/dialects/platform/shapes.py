"""Pure functions over values; each list names the columns it reads, so that no row becomes an instance."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from messaging.text import plain_text

from ..operations import Time, Url, Uuid

CONVERSATION = (
    "id", "uuid", "owner_id", "taggable_type", "taggable_id", "last_message_text", "last_message_seq",
    "last_message_at", "is_archived", "created_at", "updated_at",
)  # fmt: skip
MESSAGE = (
    "id", "uuid", "text", "type", "content", "sender_user__uuid", "sender_name", "attachment_count", "created_at",
    "updated_at",
)  # fmt: skip


class Error(TypedDict):
    success: NotRequired[Literal[False]]
    message: str
    errors: NotRequired[Mapping[str, Sequence[str]]]
    error: NotRequired[str]


class Pivot(TypedDict):
    conversation_id: int
    user_id: int
    unread_count: int
    last_read_at: Time | None
    joined_at: Time
    created_at: Time
    updated_at: Time


class Participant(TypedDict):
    uuid: Uuid
    name: str
    email: str
    pivot: Pivot


class Conversation(TypedDict):
    uuid: Uuid
    taggable_type: str | None
    taggable_id: int | None
    last_message_text: str | None
    last_message_at: Time | None
    is_archived: bool
    created_at: Time
    updated_at: Time
    participants: list[Participant]


class ConversationFound(TypedDict):
    data: Conversation


class ConversationWritten(TypedDict):
    message: str
    data: Conversation


class Sender(TypedDict):
    uuid: Uuid | None
    name: str


class Upload(TypedDict):
    upload_url: Url
    file_id: Uuid
    expires_at: Time


class UploadAnnounced(TypedDict):
    message: str
    data: Upload


class AttachmentShown(TypedDict):
    uuid: Uuid
    file_name: str
    file_type: str
    file_size: int | None
    url: str | None  # None where the file was removed


class Message(TypedDict):
    uuid: Uuid
    conversation_uuid: Uuid
    text: str
    type: str
    sender: Sender
    attachments: list[AttachmentShown]
    created_at: Time
    updated_at: Time


class MessageSent(TypedDict):
    message: str
    data: Message


class Read(TypedDict):
    unread_count: int
    last_read_at: Time


class ConversationRead(TypedDict):
    message: str
    data: Read


class Links(TypedDict):
    first: Url
    last: Url
    prev: Url | None
    next: Url | None


Meta = TypedDict(
    "Meta",
    {
        "current_page": int,
        "from": int | None,
        "last_page": int,
        "path": Url,
        "per_page": int,
        "to": int | None,
        "total": int,
        "total_is_capped": NotRequired[Literal[True]],
    },
)


class ConversationPage(TypedDict):
    data: list[Conversation]
    links: Links
    meta: Meta


class MessagePage(TypedDict):
    data: list[Message]
    links: Links
    meta: Meta


class Ticket(TypedDict):
    ticket: str
    expires_at: Time


class TicketIssued(TypedDict):
    message: str
    data: Ticket


class TypingShown(TypedDict):
    typing: bool


class TypingTold(TypedDict):
    message: str
    data: TypingShown


class PresenceShown(TypedDict):
    status: Literal["online", "away", "offline"]


class PresenceTold(TypedDict):
    message: str
    data: PresenceShown


def time(at: datetime) -> str:
    """UTC, to the microsecond: 2025-10-15T10:30:00.000000Z."""
    return at.isoformat(timespec="microseconds")[:26] + "Z"


def conversation(row: Mapping[str, Any], people: Sequence[Mapping[str, Any]]) -> Conversation:
    """`people` are the users who take part, in the order of their joining; the owner comes first."""
    last = row["last_message_at"]
    return {
        "uuid": str(row["uuid"]),
        "taggable_type": row["taggable_type"],
        "taggable_id": row["taggable_id"],
        "last_message_text": row["last_message_text"] if last else None,
        "last_message_at": time(last) if last else None,
        "is_archived": row["is_archived"],
        "created_at": time(row["created_at"]),
        "updated_at": time(row["updated_at"]),
        "participants": [
            participant(person) for person in sorted(people, key=lambda person: person["user_id"] != row["owner_id"])
        ],
    }


def participant(row: Mapping[str, Any]) -> Participant:
    return {
        "uuid": str(row["user__uuid"]),
        "name": row["user__name"],
        "email": row["user__email"],
        "pivot": {
            "conversation_id": row["conversation_id"],
            "user_id": row["user_id"],
            "unread_count": row["unread_count"],
            "last_read_at": time(row["last_read_at"]) if row["last_read_at"] else None,
            "joined_at": time(row["joined_at"]),
            "created_at": time(row["joined_at"]),
            "updated_at": time(row["updated_at"]),
        },
    }


def message(row: Mapping[str, Any], conversation_uuid: str, attachments: Sequence[Mapping[str, Any]]) -> Message:
    return {
        "uuid": str(row["uuid"]),
        "conversation_uuid": conversation_uuid,
        "text": plain_text(row["type"], row["text"], row["content"]),
        "type": row["type"],
        "sender": {
            "uuid": str(row["sender_user__uuid"]) if row["sender_user__uuid"] else None,
            "name": row["sender_name"],
        },
        "attachments": [attachment(file) for file in attachments],
        "created_at": time(row["created_at"]),
        "updated_at": time(row["updated_at"]),
    }


def attachment(row: Mapping[str, Any]) -> AttachmentShown:
    return {
        "uuid": str(row["uuid"]),
        "file_name": row["file_name"],
        "file_type": row["file_type"],
        "file_size": row["file_size"],
        "url": row["url"],
    }
