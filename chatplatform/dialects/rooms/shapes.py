"""Pure functions over values; CONVERSATION names the columns they read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from conversations import models

from ..operations import Time, Uuid

CONVERSATION = (
    "uuid", "title", "room", "channel", "bot_id", "owner__external_id", "owner__uuid", "created_at", "updated_at",
)  # fmt: skip


class Error(TypedDict):
    status: int
    error: str
    errors: NotRequired[Mapping[str, Sequence[str]]]
    reference: NotRequired[str]


class Conversation(TypedDict):
    id: Uuid
    room: str
    integrationType: str
    botId: str | None
    userId: str | None
    createdAt: Time
    updatedAt: Time


class Pagination(TypedDict):
    page: int
    pageSize: int
    totalPages: int
    totalItems: int
    total_is_capped: NotRequired[Literal[True]]


class Found(TypedDict):
    status: Literal[200]
    data: Conversation


class Written(TypedDict):
    status: Literal[200]
    message: str
    data: Conversation


class Listed(TypedDict):
    status: Literal[200]
    data: list[Conversation]
    pagination: Pagination


class Deleted(TypedDict):
    status: Literal[200]
    message: str


def conversation(row: dict[str, Any]) -> Conversation:
    """One that was made elsewhere shows its title as room; one without an owner has no userId."""
    owner = row["owner__external_id"] or row["owner__uuid"]
    return {
        "id": str(row["uuid"]),
        "room": row["title"] if row["room"] is None else row["room"],
        "integrationType": row["channel"],
        "botId": row["bot_id"],
        "userId": None if owner is None else str(owner),
        "createdAt": time(row["created_at"]),
        "updatedAt": time(row["updated_at"]),
    }


def written(row: models.Conversation) -> Conversation:
    owner = row.owner
    values = {name: getattr(row, name) for name in CONVERSATION if not name.startswith("owner__")}
    return conversation(
        {
            **values,
            "owner__external_id": owner and owner.external_id,
            "owner__uuid": owner and owner.uuid,
        }
    )


def pagination(page: int, limit: int, *, total: int, total_is_capped: bool = False) -> Pagination:
    shown: Pagination = {"page": page, "pageSize": limit, "totalPages": -(-total // limit), "totalItems": total}
    if total_is_capped:
        shown["total_is_capped"] = True
    return shown


def time(at: datetime) -> str:
    """UTC, to the second: 2024-01-15T10:30:00Z."""
    return at.isoformat()[:19] + "Z"
