"""Pure functions over values; each list names the columns it reads, so that no row becomes an instance."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from conversations.actions import PERMISSIONS

from ..counting import Total
from ..operations import Form, Time, Uuid
from . import ids

CONVERSATION = (
    "id", "uuid", "status", "created_at", "updated_at", "channel", "title", "metadata", "message_count",
    "last_message_at", "queue", "is_flagged", "flag_reasons",
)  # fmt: skip
LISTED = (
    "uuid", "status", "created_at", "last_message_at", "participant_count", "message_count", "channel", "title",
    "queue", "is_flagged", "flag_reasons",
)  # fmt: skip
PARTICIPANT = (
    "uuid", "contact__contact_id", "agent__agent_id", "user__uuid", "user__name", "role", "can_read", "can_write",
    "can_manage", "joined_at",
)  # fmt: skip
ConversationId = Annotated[str, Form(pattern="^conv_[0-9a-f]{32}$")]
ParticipantId = Annotated[str, Form(pattern="^participant_[0-9a-f]{32}$")]
Status = Literal["new", "active", "waiting_for_customer", "escalated", "resolved", "closed"]
Role = Literal["customer", "agent", "supervisor", "manager", "participant"]
Permission = Literal["read", "write", "manage"]


class Wrong(TypedDict):
    code: str
    message: str
    #: What is wrong where; both states; or an opaque reference.
    details: NotRequired[Mapping[str, Sequence[str]] | Mapping[str, str] | str]


class Error(TypedDict):
    error: Wrong


class Pagination(Total):
    limit: int
    offset: int
    has_more: bool


class Participant(TypedDict):
    """One of a contact, an agent and a user."""

    id: ParticipantId
    contact_id: NotRequired[str]
    agent_id: NotRequired[str]
    user_id: NotRequired[Uuid]
    name: NotRequired[str]
    role: Role
    permissions: list[Permission]
    joined_at: Time


class Participants(TypedDict):
    participants: list[Participant]
    pagination: Pagination


class FlagReason(TypedDict):
    rule: str
    points: float
    detail: str


class Flagged(TypedDict):
    """Where anti-spam flagged it."""

    flagged: NotRequired[Literal[True]]
    flag_reasons: NotRequired[list[FlagReason]]


class Conversation(Flagged):
    id: ConversationId
    status: Status
    created_at: Time
    updated_at: Time
    participants: list[Participant]
    channel: str
    subject: str | None
    tags: list[str]
    metadata: dict[str, Any]
    message_count: int
    last_message_at: Time | None
    queue: str | None


class ListedConversation(Flagged):
    id: ConversationId
    status: Status
    created_at: Time
    last_message_at: Time | None
    participants_count: int
    message_count: int
    channel: str
    subject: str | None
    queue: str | None


class Conversations(TypedDict):
    conversations: list[ListedConversation]
    pagination: Pagination


class Metrics(TypedDict):
    duration: float | None
    message_count: int
    response_time_avg: float | None
    first_response_time: float | None
    participant_count: int
    resolution_time: float | None


def time(at: datetime) -> str:
    """UTC, to the second: 2024-01-15T10:30:00Z."""
    return at.isoformat()[:19] + "Z"


def conversation(row: dict[str, Any], participants: Iterable[dict[str, Any]], tags: Iterable[str]) -> Conversation:
    return {
        "id": ids.shown("conv", row["uuid"]),
        "status": row["status"],
        "created_at": time(row["created_at"]),
        "updated_at": time(row["updated_at"]),
        "participants": [participant(person) for person in participants],
        "channel": row["channel"],
        "subject": row["title"] or None,
        "tags": list(tags),
        "metadata": row["metadata"],
        "message_count": row["message_count"],
        "last_message_at": row["last_message_at"] and time(row["last_message_at"]),
        "queue": row["queue"] or None,
        **flagged(row),
    }


def listed_conversation(row: dict[str, Any]) -> ListedConversation:
    return {
        "id": ids.shown("conv", row["uuid"]),
        "status": row["status"],
        "created_at": time(row["created_at"]),
        "last_message_at": row["last_message_at"] and time(row["last_message_at"]),
        "participants_count": row["participant_count"],
        "message_count": row["message_count"],
        "channel": row["channel"],
        "subject": row["title"] or None,
        "queue": row["queue"] or None,
        **flagged(row),
    }


def participant(row: dict[str, Any]) -> Participant:
    shown: dict[str, Any] = {"id": ids.shown("participant", row["uuid"])}
    if row["contact__contact_id"] is not None:
        shown["contact_id"] = row["contact__contact_id"]
    elif row["agent__agent_id"] is not None:
        shown["agent_id"] = row["agent__agent_id"]
    else:
        shown |= {"user_id": str(row["user__uuid"]), "name": row["user__name"]}
    shown["role"] = row["role"]
    shown["permissions"] = [name for name in PERMISSIONS if row[f"can_{name}"]]
    shown["joined_at"] = time(row["joined_at"])
    return shown  # type: ignore[return-value]


def flagged(row: dict[str, Any]) -> Flagged:
    return {"flagged": True, "flag_reasons": row["flag_reasons"]} if row["is_flagged"] else {}
