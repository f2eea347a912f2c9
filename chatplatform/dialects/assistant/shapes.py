"""Pure functions over values; each list names the columns it reads, so that no row becomes an instance."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from analytics.dashboards import Overall, Own
from clients.callers import Caller
from messaging.models import Message
from messaging.text import plain_text

from ..operations import Time, Url, Uuid

CONVERSATION = (
    "id", "title", "room", "channel", "owner_id", "assigned_agent_id", "kind", "status", "is_archived", "is_pinned",
    "message_count", "owner_unread", "staff_unread", "last_message_at", "created_at", "updated_at",
)  # fmt: skip
MESSAGE = (
    "id", "conversation_id", "text", "type", "content", "sender_agent_id", "status", "tokens_used", "processing_time",
    "created_at", "attachment_count",
)  # fmt: skip
RESULT = ("id", "conversation_id", "sender_agent_id", "created_at")


class Error(TypedDict):
    success: Literal[False]
    message: str
    errors: NotRequired[Mapping[str, Sequence[str]]]
    reference: NotRequired[str]


class Done(TypedDict):
    success: Literal[True]
    message: str


class Conversation(TypedDict):
    id: int
    title: str
    user_id: int | None
    agent_id: int | None
    conversation_type: str
    status: str
    is_archived: bool
    is_pinned: bool
    total_messages: int
    unread_count: int
    last_message_at: Time | None
    created_at: Time


class ConversationDetails(Conversation):
    updated_at: Time


class Page(TypedDict):
    total: int
    total_is_capped: NotRequired[Literal[True]]
    limit: int
    offset: int


class Conversations(Page):
    conversations: list[Conversation]


class ConversationsFound(Done):
    data: Conversations


class ConversationFound(Done):
    data: ConversationDetails


class ConversationId(TypedDict):
    conversation_id: int


class ConversationWritten(Done):
    data: ConversationId


class Read(ConversationId):
    unread_count: int


class ConversationRead(Done):
    data: Read


class Upload(TypedDict):
    upload_url: Url
    file_id: Uuid
    expires_at: Time


class UploadAnnounced(Done):
    data: Upload


class AttachmentShown(TypedDict):
    uuid: Uuid
    file_name: str
    file_type: str
    file_size: int | None
    url: str | None  # None where the file was removed


class MessageShown(TypedDict):
    id: int
    conversation_id: int
    content: str
    content_type: str
    sender: Literal["user", "agent"]
    message_type: str
    status: str
    tokens_used: int | None
    processing_time: float | None
    created_at: Time
    attachments: list[AttachmentShown]


class Messages(Page):
    messages: list[MessageShown]


class MessagesFound(Done):
    data: Messages


class MessageAddition(TypedDict):
    message_id: int
    conversation_id: int
    content: str
    sender: Literal["user", "agent"]
    created_at: Time


class MessageAdded(Done):
    data: MessageAddition


class Result(MessageAddition):
    #: HTML: some of the content, escaped, with the words that match in <mark>.
    highlight: str


class Results(TypedDict):
    results: list[Result]
    query: str
    total: int
    total_is_capped: NotRequired[Literal[True]]


class ResultsFound(Done):
    data: Results


class Ticket(TypedDict):
    ticket: str
    expires_at: Time


class TicketIssued(Done):
    data: Ticket


class TypingShown(ConversationId):
    typing: bool


class TypingTold(Done):
    data: TypingShown


class PresenceShown(TypedDict):
    status: Literal["online", "away", "offline"]


class PresenceTold(Done):
    data: PresenceShown


class AnalyticsFound(Done):
    data: Own


class GlobalAnalyticsFound(Done):
    data: Overall


def time(at: datetime) -> str:
    """UTC, to the second: 2024-01-15T10:30:00Z."""
    return at.isoformat()[:19] + "Z"


def conversation(row: dict[str, Any], caller: Caller) -> Conversation:
    return {
        "id": row["id"],
        "title": row["title"] or row["room"] or row["channel"],
        "user_id": row["owner_id"],
        "agent_id": row["assigned_agent_id"],
        "conversation_type": row["kind"],
        "status": row["status"],
        "is_archived": row["is_archived"],
        "is_pinned": row["is_pinned"],
        "total_messages": row["message_count"],
        "unread_count": unread(row, caller),
        "last_message_at": row["last_message_at"] and time(row["last_message_at"]),
        "created_at": time(row["created_at"]),
    }


def conversation_details(row: dict[str, Any], caller: Caller) -> ConversationDetails:
    return {**conversation(row, caller), "updated_at": time(row["updated_at"])}


def unread(row: dict[str, Any], caller: Caller) -> int:
    """Of the owner: agents' messages; of staff: customers'; of another participant: everyone else's."""
    if row["owner_id"] is not None and row["owner_id"] == caller.user_id:
        figure = row["owner_unread"]
    elif caller.is_staff:
        figure = row["staff_unread"]
    else:
        figure = row["participants__unread_count"]
    count: int = figure
    return count


def message(row: dict[str, Any], attachments: Sequence[Mapping[str, Any]]) -> MessageShown:
    return {
        "id": row["id"],
        "conversation_id": row["conversation_id"],
        "content": plain_text(row["type"], row["text"], row["content"]),
        "content_type": row["type"],
        "sender": sender(row["sender_agent_id"]),
        "message_type": row["type"],
        "status": row["status"],
        "tokens_used": row["tokens_used"],
        "processing_time": row["processing_time"],
        "created_at": time(row["created_at"]),
        "attachments": [attachment(file) for file in attachments],
    }


def attachment(row: Mapping[str, Any]) -> AttachmentShown:
    return {
        "uuid": str(row["uuid"]),
        "file_name": row["file_name"],
        "file_type": row["file_type"],
        "file_size": row["file_size"],
        "url": row["url"],
    }


def sender(agent_id: int | None) -> Literal["user", "agent"]:
    return "user" if agent_id is None else "agent"


def result(row: dict[str, Any]) -> Result:
    return {
        "message_id": row["id"],
        "conversation_id": row["conversation_id"],
        "content": plain_text(row["type"], row["text"], row["content"]),
        "sender": sender(row["sender_agent_id"]),
        "created_at": time(row["created_at"]),
        "highlight": row["highlight"],
    }


def added_message(message: Message) -> MessageAddition:
    return {
        "message_id": message.pk,
        "conversation_id": message.conversation_id,
        "content": message.text,
        "sender": sender(message.sender_agent_id),
        "created_at": time(message.created_at),
    }
