"""The queue in the database: a lane for each endpoint and conversation that has something pending.

Locks are taken in one order, endpoints, lanes, deliveries, each by their keys, so that handing out, finishing and
putting out of service never wait for each other in a circle.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Min
from django.utils import timezone

from ..webhook_models import WebhookDelivery, WebhookEndpoint, WebhookLane

State = WebhookDelivery.State
#: Endpoint and conversation (0: none).
Key = tuple[int, int]


def locked_endpoints(pks: Iterable[int]) -> dict[int, WebhookEndpoint]:
    """Whoever holds one knows that it is not put out of service meanwhile."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk__in=list(pks)).order_by("pk")
    return {row.pk: row for row in rows}


def open_lanes(keys: Iterable[Key], due_at: datetime | None = None) -> None:
    """So that what is pending there is attempted. One that is there already stays as it is, but locked: whoever
    is about to drop it looks again at what is pending."""
    now = timezone.now()
    lanes = [
        WebhookLane(endpoint_id=endpoint, conversation_id=conversation, due_at=due_at or now)
        for endpoint, conversation in sorted(set(keys))
    ]
    if lanes:
        WebhookLane.objects.bulk_create(
            lanes,
            update_conflicts=True,
            unique_fields=["endpoint", "conversation_id"],
            update_fields=["conversation_id"],
            batch_size=500,
        )


def next_attempt(endpoint: WebhookEndpoint) -> datetime | None:
    """When the first of what is pending is due; None where nothing is."""
    due: datetime | None = WebhookLane.objects.filter(endpoint=endpoint).aggregate(Min("due_at"))["due_at__min"]
    return max(due, endpoint.held_until) if due and endpoint.held_until else due


def hurry_lane(key: Key, at: datetime) -> None:
    """Its first delivery is due, whatever it was waiting for."""
    endpoint, conversation = key
    open_lanes([key], at)
    WebhookLane.objects.filter(endpoint=endpoint, conversation_id=conversation, due_at__gt=at).update(due_at=at)


def set_all_aside(endpoint_id: int) -> int:
    """What is pending of an endpoint, which is locked. Answers how many."""
    lanes = WebhookLane.objects.filter(endpoint=endpoint_id).order_by("conversation_id")
    list(lanes.select_for_update(of=("self",)).values_list("pk"))  # nobody adds one while the endpoint is locked
    pending = WebhookDelivery.objects.filter(endpoint=endpoint_id, state=State.PENDING)
    count = pending.update(state=State.SET_ASIDE, finished_at=timezone.now())
    WebhookLane.objects.filter(endpoint=endpoint_id).delete()
    return count
