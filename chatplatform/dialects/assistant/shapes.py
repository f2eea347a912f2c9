"""Pure functions over values; each list names the columns it reads, so that no row becomes an instance."""

from datetime import datetime
from typing import Any

from clients.callers import Caller
from messaging.models import Attachment, Message
from messaging.text import plain_text

CONVERSATION = (
    "id", "title", "room", "channel", "owner_id", "assigned_agent_id", "kind", "status", "is_archived", "is_pinned",
    "message_count", "owner_unread", "staff_unread", "last_message_at", "created_at", "updated_at",
)  # fmt: skip
MESSAGE = (
    "id", "conversation_id", "text", "type", "content", "sender_agent_id", "status", "tokens_used", "processing_time",
    "created_at", "attachment_count",
)  # fmt: skip


def time(at: datetime | None) -> str | None:
    """UTC, to the second: 2024-01-15T10:30:00Z."""
    return None if at is None else at.isoformat()[:19] + "Z"


def conversation(row: dict[str, Any], caller: Caller) -> dict[str, Any]:
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
        "last_message_at": time(row["last_message_at"]),
        "created_at": time(row["created_at"]),
    }


def conversation_details(row: dict[str, Any], caller: Caller) -> dict[str, Any]:
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


def message(row: dict[str, Any], attachments: list[dict[str, Any]]) -> dict[str, Any]:
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
        "attachments": attachments,
    }


def attachment(row: Attachment) -> dict[str, Any]:
    return {
        "uuid": str(row.uuid),
        "file_name": row.file_name,
        "file_type": row.file_type,
        "file_size": row.file_size,
        "url": row.url,
    }


def sender(agent_id: int | None) -> str:
    return "user" if agent_id is None else "agent"


def added_message(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.pk,
        "conversation_id": message.conversation_id,
        "content": message.text,
        "sender": sender(message.sender_agent_id),
        "created_at": time(message.created_at),
    }
