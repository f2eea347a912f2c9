"""Endpoints of webhooks, and what staff do about deliveries. The worker delivers (messaging.webhooks)."""

import contextlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import Conflict, Invalid, NotFound
from clients.models import Client
from conversations.feed import latest
from conversations.models import Event

from ..webhook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from ..webhooks import queue, secrets
from ..webhooks.addresses import check_url
from ..webhooks.kinds import ALL, TEST, clean_events

ENDPOINTS = 50  # of a client
#: For so long a former secret signs beside the new one.
BOTH_LIVE = timedelta(hours=24)
_PAGE = 1000  # rows of a statement


@transaction.atomic
def create_endpoint(
    *, client_id: int, url: str, events: Iterable[str] = (), enabled: bool = True, secret: str | None = None
) -> tuple[WebhookEndpoint, str]:
    """It is told of what happens from now on. Answers the secret too, which is shown once. Raises Invalid."""
    secret = secrets.new_secret() if secret is None else secrets.check_secret(secret)
    row = WebhookEndpoint(
        client_id=client_id,
        url=check_url(url),
        events=clean_events(events),
        secret=secrets.seal(secret),
        after_event=latest(),
    )
    if not enabled:
        _take_out(row)
    # Of two who add one at the same time, the second counts the first's.
    Client.objects.select_for_update(no_key=True).get(pk=client_id)
    if WebhookEndpoint.objects.for_client(client_id).count() >= ENDPOINTS:
        raise Invalid("Validation error", fields={"url": [f"At most {ENDPOINTS} in a workspace."]})
    row.save(force_insert=True)
    return row, secret


@transaction.atomic
def update_endpoint(*, endpoint: WebhookEndpoint, **changes: Any) -> WebhookEndpoint:
    """Changes `url`, `events`, `enabled`, `secret`; what is so already is no change. Put out of service, what is
    pending is set aside; put into service, it is told of what happens from then on. Raises Invalid, NotFound."""
    row = _locked(endpoint)
    changed = set()
    if "url" in changes and changes["url"] != row.url:
        row.url, row.failing_since, row.held_until = check_url(changes["url"]), None, None
        changed |= {"url", "failing_since", "held_until"}
    if "events" in changes and (events := clean_events(changes["events"])) != row.events:
        row.events = events
        changed.add("events")
    if changes.get("secret"):
        changed |= _change_secret(row, changes["secret"])
    if "enabled" in changes and bool(changes["enabled"]) != row.is_enabled:
        if changes["enabled"]:
            row.disabled, row.disabled_at, row.failing_since, row.after_event = "", None, None, latest()
            row.held_until = None
        else:
            _take_out(row)
            queue.set_all_aside(row.pk)
        changed |= {"disabled", "disabled_at", "failing_since", "after_event", "held_until"}
    if changed:
        row.updated_at = timezone.now()
        row.save(update_fields=[*changed, "updated_at"])
    return row


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint, secret: str | None = None) -> str:
    """Answers the new secret, which is shown once; the former one signs beside it for 24 hours. Raises Invalid,
    NotFound."""
    row = _locked(endpoint)
    new = secrets.new_secret() if secret is None else secret
    if changed := _change_secret(row, new):
        row.updated_at = timezone.now()
        row.save(update_fields=[*changed, "updated_at"])
    return new


@transaction.atomic
def delete_endpoint(endpoint: WebhookEndpoint) -> None:
    """With its deliveries. Raises NotFound."""
    row = _locked(endpoint)
    queue.set_all_aside(row.pk)
    deliveries = WebhookDelivery.objects.filter(endpoint=row)
    WebhookAttempt.objects.filter(delivery__in=deliveries.order_by()).order_by()._raw_delete("default")
    deliveries.order_by()._raw_delete("default")
    row.delete()


@transaction.atomic
def redeliver(*, delivery: WebhookDelivery) -> WebhookDelivery:
    """Once more from the first attempt on, as soon as a worker comes to it: the same id, the same body. One that
    is pending is attempted at once. Raises Conflict where the endpoint is out of service, NotFound."""
    _in_service(delivery.endpoint_id)
    queue.hurry_lane((delivery.endpoint_id, delivery.conversation_id or 0), timezone.now())
    row = WebhookDelivery.objects.select_for_update(no_key=True, of=("self",)).filter(pk=delivery.pk).first()
    if row is None:
        raise NotFound("Delivery")
    if row.state != queue.State.PENDING:
        row.state, row.attempt_count, row.finished_at = queue.State.PENDING, 0, None
        row.save(update_fields=["state", "attempt_count", "finished_at"])
    return row


@transaction.atomic
def redeliver_since(*, endpoint: WebhookEndpoint, since: datetime) -> int:
    """What failed since then, and what it was not told of because it was out of service, in the order in which it
    happened. Answers how many deliveries. Raises Conflict where it is out of service, NotFound."""
    row = _in_service(endpoint.pk)
    failed = WebhookDelivery.objects.filter(endpoint=row, state=queue.State.SET_ASIDE, created_at__gte=since)
    keys = failed.order_by().values_list("conversation_id", flat=True).distinct()
    queue.open_lanes((row.pk, key or 0) for key in keys)
    count = failed.update(state=queue.State.PENDING, attempt_count=0, finished_at=None)
    for missed in _missed(row, since):
        queue.open_lanes((row.pk, one.conversation_id or 0) for one in missed)
        count += len(WebhookDelivery.objects.bulk_create(missed, ignore_conflicts=True))
    return count


def _missed(row: WebhookEndpoint, since: datetime) -> Iterable[list[WebhookDelivery]]:
    """Up to where it was put into service: what is beyond comes by itself. Bodies are made when they are sent."""
    told = Event.objects.for_client(row.client_id).filter(
        pk__lte=row.after_event, kind__in=row.events or ALL, created_at__gte=max(since, row.created_at)
    )
    after = 0
    while page := list(told.filter(pk__gt=after).order_by("pk")[:_PAGE]):
        after = page[-1].pk
        known = WebhookDelivery.objects.filter(endpoint=row, event_id__in=[event.pk for event in page])
        have = set(known.values_list("event_id", flat=True))
        yield [
            WebhookDelivery(
                endpoint=row, conversation_id=event.conversation_id, event_id=event.pk, kind=event.kind
            )
            for event in page
            if event.pk not in have and not event.data.get("imported")
        ]  # fmt: skip


@transaction.atomic
def test_endpoint(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A delivery that tells of nothing, attempted like any other. Raises Conflict where it is out of service,
    NotFound."""
    row = _in_service(endpoint.pk)
    now = timezone.now()
    body = json.dumps({"event": TEST, "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ")})
    delivery = WebhookDelivery.objects.create(endpoint=row, kind=TEST, body=body, created_at=now)
    queue.hurry_lane((row.pk, 0), now)
    return delivery


def _take_out(row: WebhookEndpoint) -> None:
    row.disabled, row.disabled_at = WebhookEndpoint.Disabled.BY_HAND, timezone.now()


def _change_secret(row: WebhookEndpoint, secret: str) -> set[str]:
    """The same one again (a client whose first answer was lost) is no change: the former one stays."""
    new = secrets.seal(secrets.check_secret(secret))
    with contextlib.suppress(secrets.Unreadable):
        if secrets.unseal(row.secret) == secret:
            return set()
    row.former_secret, row.former_until, row.secret = row.secret, timezone.now() + BOTH_LIVE, new
    return {"secret", "former_secret", "former_until"}


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    row = queue.locked_endpoints([endpoint.pk]).get(endpoint.pk)
    if row is None:
        raise NotFound("Webhook")
    return row


def _in_service(pk: int) -> WebhookEndpoint:
    row = queue.locked_endpoints([pk]).get(pk)
    if row is None:
        raise NotFound("Webhook")
    if not row.is_enabled:
        raise Conflict("Webhook is disabled")
    return row
