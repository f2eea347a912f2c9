"""What the queue does for every delivery, compiled once (chatplatform/db/prepared.py): with the ORM it costs more
than all the rest of a delivery."""

from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery

from chatplatform.db.among import Among
from chatplatform.db.prepared import Delete, Insert, Param, Rows, Update, integer, moment, uuid

from ..webhook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from .queue import State

DUE = 64  # lanes that are claimed at a time


def _due() -> QuerySet[WebhookLane]:
    """The longest waiting first; not those of `endpoints` and `clients`."""
    now = moment("now")
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    open_again = Q(endpoint__held_until=None) | Q(endpoint__held_until__lte=now)
    lanes = WebhookLane.objects.filter(free, open_again, due_at__lte=now, endpoint__disabled="")
    lanes = lanes.order_by("due_at", "pk")
    return lanes.filter(~Among("endpoint_id", "endpoints"), ~Among("endpoint__client_id", "clients"))


def _firsts_of(deliveries: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    """The first of these in each of the `lanes`."""
    pending = deliveries.filter(endpoint=OuterRef("endpoint"), state=State.PENDING).order_by("pk")
    lanes = WebhookLane.objects.filter(Among("pk", "lanes")).values(first=Subquery(pending.values("pk")[:1]))
    columns = ("uuid", "endpoint_id", "conversation_id", "event_id", "body")
    return WebhookDelivery.objects.filter(pk__in=lanes).order_by().only(*columns)


def _lanes() -> QuerySet[WebhookLane]:
    return WebhookLane.objects.filter(Among("pk", "lanes"))


def _deliveries() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(Among("pk", "deliveries"))


is_due = Rows(lambda: _due().values("id"), paged=True)
due = Rows(lambda: _due().select_for_update(skip_locked=True, of=("self",))[:DUE])
endpoints = Rows(lambda: WebhookEndpoint.objects.filter(Among("pk", "endpoints")))
claim = Update(lambda: (_lanes(), {"claim": uuid("claim"), "claimed_until": moment("until")}))
firsts = Rows(lambda: _firsts_of(WebhookDelivery.objects.filter(conversation=OuterRef("conversation_id"))))
firsts_of_none = Rows(lambda: _firsts_of(WebhookDelivery.objects.filter(conversation=None)))

#: In the order of locks (queue.py); with until when the endpoint is held.
locked_lanes = Rows(
    lambda: (
        _lanes()
        .order_by("endpoint_id", "conversation_id")
        .select_for_update(of=("self",))
        .annotate(held=F("endpoint__held_until"))
    )
)
#: With whether the body was erased.
locked_deliveries = Rows(
    lambda: (
        _deliveries()
        .order_by("pk")
        .select_for_update(no_key=True)
        .annotate(was_erased=ExpressionWrapper(Q(body=""), BooleanField()))
        .values("id", "state", "attempt_count", "was_erased")
    )
)
took = Update(
    lambda: (
        _deliveries(),
        {"state": State.DELIVERED, "finished_at": moment("at"), "attempt_count": F("attempt_count") + 1},
    )
)
settle = Update(
    lambda: (
        WebhookDelivery.objects.filter(pk=integer("pk")),
        {
            "state": Param("state", models.CharField()),
            "finished_at": moment("finished_at"),
            "attempt_count": integer("attempt_count"),
        },
    )
)
note = Insert(WebhookAttempt)
wait = Update(
    lambda: (
        WebhookLane.objects.filter(pk=integer("pk")),
        {"due_at": moment("due_at"), "claim": None, "claimed_until": None},
    )
)
release = Update(lambda: (_lanes(), {"due_at": moment("now"), "claim": None, "claimed_until": None}))
extend = Update(lambda: (_lanes(), {"claimed_until": moment("until")}))
drop = Delete(_lanes)
