"""Webhooks and their deliveries as this dialect shows them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import orjson

from messaging.models import WebhookEndpoint
from messaging.webhooks.kinds import ALL
from messaging.webhooks.log import shown_head

from ..operations import Form, Time
from . import ids
from .shapes import ConversationId, Pagination, time

#: Of a delivery, for lists; and what one alone has besides.
DELIVERY = (
    "uuid", "endpoint__uuid", "kind", "conversation__uuid", "state", "attempt_count", "created_at", "finished_at",
)  # fmt: skip
WHOLE_DELIVERY = ("id", *DELIVERY, "body")
ATTEMPT = (
    "at", "duration", "status", "error", "request_headers", "response_headers", "response_body",
)  # fmt: skip

WebhookId = Annotated[str, Form(pattern="^webhook_[0-9a-f]{32}$")]
DeliveryId = Annotated[str, Form(pattern="^delivery_[0-9a-f]{32}$")]
_REASONS: dict[str, Literal["by_hand", "failing", "gone"]] = {
    "by hand": "by_hand", "failing": "failing", "gone": "gone",
}  # fmt: skip


class Webhook(TypedDict):
    id: WebhookId
    url: str
    events: list[str]
    enabled: bool
    #: This once.
    secret: NotRequired[str]
    disabled_reason: Literal["by_hand", "failing", "gone"] | None
    #: Since when nothing but failures; null once it took something.
    failing_since: Time | None
    created_at: Time
    updated_at: Time


class Webhooks(TypedDict):
    webhooks: list[Webhook]
    pagination: Pagination


class Delivery(TypedDict):
    id: DeliveryId
    webhook_id: WebhookId
    event: str
    #: null: of a test.
    conversation_id: ConversationId | None
    status: Literal["pending", "delivered", "failed"]
    attempt_count: int
    created_at: Time
    finished_at: Time | None


class Attempt(TypedDict):
    at: Time
    duration_ms: int
    #: null: there was no answer.
    status: int | None
    error: str | None
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    #: Its beginning.
    response_body: str


class WholeDelivery(Delivery):
    #: null: not written yet.
    payload: dict[str, Any] | None
    attempts: list[Attempt]


class Deliveries(TypedDict):
    deliveries: list[Delivery]
    pagination: Pagination


class Secret(TypedDict):
    secret: str
    #: Until then the former one signs beside it.
    former_secret_expires_at: Time | None


class Redelivered(TypedDict):
    count: int


def webhook(row: WebhookEndpoint, secret: str | None = None) -> Webhook:
    return {
        "id": ids.shown("webhook", row.uuid),
        "url": row.url,
        "events": row.events or list(ALL),
        "enabled": row.is_enabled,
        **({"secret": secret} if secret is not None else {}),  # type: ignore[typeddict-item]
        "disabled_reason": _REASONS.get(row.disabled),
        "failing_since": _when(row.failing_since),
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def delivery(row: Mapping[str, Any]) -> Delivery:
    conversation = row["conversation__uuid"]
    return {
        "id": ids.shown("delivery", row["uuid"]),
        "webhook_id": ids.shown("webhook", row["endpoint__uuid"]),
        "event": row["kind"],
        "conversation_id": conversation and ids.shown("conv", conversation),
        "status": row["state"],
        "attempt_count": row["attempt_count"],
        "created_at": time(row["created_at"]),
        "finished_at": _when(row["finished_at"]),
    }


def whole_delivery(row: Mapping[str, Any], attempts: Iterable[Mapping[str, Any]]) -> WholeDelivery:
    return {
        **delivery(row),
        "payload": orjson.loads(row["body"]) if row["body"] else None,
        "attempts": [attempt(one) for one in attempts],
    }


def attempt(row: Mapping[str, Any]) -> Attempt:
    return {
        "at": time(row["at"]),
        "duration_ms": row["duration"],
        "status": row["status"],
        "error": row["error"] or None,
        "request_headers": shown_head(row["request_headers"]),
        "response_headers": row["response_headers"],
        "response_body": row["response_body"],
    }


def _when(at: datetime | None) -> str | None:
    return time(at) if at is not None else None
