"""What goes when: one entry for each kind of thing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet, Sum
from django.utils import timezone

from clients import idempotency
from clients.models import IdempotencyKey, RefreshToken
from conversations.models import Conversation, Event
from conversations.states import Status

from ..models import Message, Upload
from ..webhook_models import WebhookDelivery, WebhookEndpoint, WebhookPosition
from . import removal
from .files import doom


@dataclass(frozen=True)
class Policy:
    name: str
    #: The setting that says after how many days; None where the thing says so itself.
    days: str | None
    #: The rows whose time was over at that moment, of one client (None: of all), in the order in which they go.
    due: Callable[[int | None, datetime], QuerySet[Any]]
    #: Within a transaction: removes of these at most so many rows; answers what went, nothing when none is left.
    remove: Callable[[Any, int], Counter[str]]
    #: What would go, in the same words; by default the rows themselves.
    count: Callable[[Any], Counter[str]] = lambda rows: Counter({rows.model._meta.label: rows.count()})
    #: Whether each row belongs to a client.
    of_client: bool = True

    @property
    def is_on(self) -> bool:
        return self.days is None or getattr(settings, self.days) > 0

    def before(self, now: datetime) -> datetime:
        """What happened then or earlier is due."""
        return now - timedelta(days=getattr(settings, self.days)) if self.days else now


def _of(model: type[Model], client_id: int | None) -> Any:
    rows = model._default_manager.all()
    return rows if client_id is None else rows.for_client(client_id)  # type: ignore[attr-defined]


def _delete(rows: QuerySet[Any], limit: int) -> Counter[str]:
    pks = list(rows.values_list("pk", flat=True)[:limit])
    _, gone = rows.model._base_manager.filter(pk__in=pks).delete() if pks else (0, {})
    return Counter(gone)


# --- conversations ---


def _begun(client_id: int | None, before: datetime) -> QuerySet[Any]:
    rows: QuerySet[Any] = _of(Conversation, client_id).filter(removing_since__isnull=False).order_by("client_id", "id")
    return rows


def _closed(client_id: int | None, before: datetime) -> QuerySet[Any]:
    rows = _of(Conversation, client_id).filter(status=Status.CLOSED, status_changed_at__lte=before)
    ordered: QuerySet[Any] = rows.order_by("client_id", "status_changed_at", "id")
    return ordered


def _deleted(client_id: int | None, before: datetime) -> QuerySet[Any]:
    rows: QuerySet[Any] = _of(Conversation, client_id).filter(deleted_at__lte=before)
    return rows.order_by("client_id", "deleted_at", "id")


def _contents(rows: QuerySet[Any]) -> Counter[str]:
    these = rows.order_by().values("pk")
    files = Upload.objects.filter(conversation__in=these, removed_at=None).exclude(storage_key="")
    return Counter({
        Conversation._meta.label: rows.count(),
        Message._meta.label: Message.objects.filter(conversation__in=these).count(),
        **_files(files),
    })  # fmt: skip


# --- files ---


def _media(client_id: int | None, before: datetime) -> QuerySet[Any]:
    rows = _of(Upload, client_id).filter(state=Upload.State.USED, removed_at=None, received_at__lte=before)
    ordered: QuerySet[Any] = rows.order_by("client_id", "received_at", "id")
    return ordered


def _files(rows: QuerySet[Any]) -> dict[str, int]:
    return {"files": rows.count(), "bytes": rows.order_by().aggregate(size=Sum("size"))["size"] or 0}


def _remove_bytes(rows: QuerySet[Any], limit: int) -> Counter[str]:
    """The message, its attachment and the file's name stay; each file costs two rows."""
    found = list(
        rows.select_for_update(of=("self",), skip_locked=True).only("uuid", "state", "storage_key", "size")[
            : limit // 2
        ]
    )
    Upload.objects.filter(pk__in=[row.pk for row in found]).update(removed_at=timezone.now())
    doom(found)
    return Counter({"files": len(found), "bytes": sum(row.size for row in found)}) if found else Counter()


# --- what happened, and who was told of it ---


def _events(client_id: int | None, before: datetime) -> QuerySet[Any]:
    """Not before they have been handed out to the client's endpoints."""
    rows: QuerySet[Any] = _of(Event, client_id).filter(created_at__lte=before).order_by("pk")
    if WebhookEndpoint.objects.for_client(client_id).filter(disabled="").exists():
        rows = rows.filter(pk__lte=WebhookPosition.objects.values_list("event_id", flat=True).first() or 0)
    return rows.filter(pk__lt=_first_after(client_id, before))


def _first_after(client_id: int | None, before: datetime) -> int:
    """The id from which on the client's events are younger, by halving: ids were given in the order of time, and
    times have no index, which every change would pay for."""
    events = _of(Event, client_id).order_by("pk").values_list("pk", "created_at")
    first, last = events.first(), events.last()
    if first is None or last is None or last[1] <= before:
        return (last[0] if last else 0) + 1
    low, high = first[0], last[0]  # beyond the newest that is old enough; of those that are younger
    while low < high:
        middle = (low + high) // 2
        pk, at = events.filter(pk__gte=middle).first() or last
        if at <= before:
            low = pk + 1
        else:
            high = middle
    return low


def _deliveries(client_id: int | None, before: datetime) -> QuerySet[Any]:
    """What is pending stays."""
    rows: QuerySet[Any] = _of(WebhookDelivery, client_id).filter(created_at__lte=before)
    return rows.exclude(state=WebhookDelivery.State.PENDING).order_by("created_at", "id")


def _delete_deliveries(rows: QuerySet[Any], limit: int) -> Counter[str]:
    """Each with its attempts, of which there are ten at most, unless staff had it sent again."""
    return _delete(rows.only("pk"), limit // 11)


# --- what only serves for a time ---


def _answers(client_id: int | None, before: datetime) -> QuerySet[Any]:
    return IdempotencyKey.objects.filter(created_at__lte=before - idempotency.LIFETIME).order_by("created_at")


def _log_ins(client_id: int | None, before: datetime) -> QuerySet[Any]:
    """Not before every access token of the log-in has expired too: the row may say that it was ended."""
    ended = before - settings.ACCESS_TOKEN_LIFETIME
    rows = RefreshToken.objects.filter(expires_at__lte=ended).order_by("expires_at")
    return rows if client_id is None else rows.filter(user__client=client_id)


POLICIES = (
    Policy("conversations whose removal had begun", None, _begun, removal.remove, _contents),
    Policy("closed conversations", "RETENTION_CLOSED_DAYS", _closed, removal.remove, _contents),
    Policy("deleted conversations", "RETENTION_DELETED_DAYS", _deleted, removal.remove, _contents),
    Policy("files in messages", "RETENTION_MEDIA_DAYS", _media, _remove_bytes, lambda rows: Counter(_files(rows))),
    Policy("events", "RETENTION_EVENT_DAYS", _events, _delete),
    Policy("webhook deliveries", "RETENTION_WEBHOOK_DAYS", _deliveries, _delete_deliveries),
    Policy("expired refresh tokens", None, _log_ins, _delete),
    Policy("answers kept for idempotency keys", None, _answers, _delete, of_client=False),
)
