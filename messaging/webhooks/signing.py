"""The head of a delivery (Standard Webhooks 1.0.0)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

from ..webhook_models import WebhookEndpoint
from .secrets import unseal

USER_AGENT = "ChatPlatform-Webhooks/1.0"


def message_id(delivery: UUID) -> str:
    """The same at every attempt."""
    return f"msg_{delivery.hex}"


def live_secrets(endpoint: WebhookEndpoint, at: datetime) -> list[str]:
    """The newest first; the former one until its time is over. Raises Unreadable."""
    stored = [endpoint.secret]
    if endpoint.former_secret and endpoint.former_until and at < endpoint.former_until:
        stored.append(endpoint.former_secret)
    return [unseal(one) for one in stored]


def signed_head(delivery: UUID, body: str, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """What goes with a body at one attempt; one signature for each secret. `at`: in UTC."""
    name = message_id(delivery)
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(name, at, body) for secret in secrets),
    }
