"""Who is told of events by webhook, and what became of each telling (docs/webhooks.md)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.fields import StrictJSONField
from clients.models import Client, new_uuid
from clients.querysets import TenantQuerySet
from conversations.models import Conversation

URL_LENGTH = 2048


class WebhookEndpoint(models.Model):
    """One address of a client that is told of its events."""

    class Disabled(models.TextChoices):
        """Why it is told nothing."""

        BY_HAND = "by hand", _("by hand")
        FAILING = "failing", _("nothing but failures for days")
        GONE = "gone", _("it answered that it is gone")

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="webhook_endpoints", verbose_name=_("client"))
    url = models.CharField(_("address"), max_length=URL_LENGTH)
    # Names of events, in the order of the contract; empty: all that "all" means there.
    events = StrictJSONField(_("events"), default=list, blank=True)
    # Encrypted; a former one signs as well, until its time is over.
    secret = models.TextField(editable=False)
    former_secret = models.TextField(editable=False, blank=True, default="")
    former_until = models.DateTimeField(_("former secret until"), null=True, blank=True, editable=False)
    disabled = models.CharField(
        _("disabled"), max_length=10, choices=Disabled.choices, blank=True, default="", editable=False
    )
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True, editable=False)
    #: It is told of events with higher ids: of those since it was made, or put into service again.
    after_event = models.BigIntegerField(default=0, editable=False)
    #: When its failures began; none since it last took something.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    #: Its receiver asked to be left alone until then (429 or 503 with Retry-After).
    held_until = models.DateTimeField(_("held until"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("webhook"), _("webhooks")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.url

    @property
    def is_enabled(self) -> bool:
        return not self.disabled


class OfEndpointQuerySet(TenantQuerySet):
    tenant = "endpoint__client_id"


class OfDeliveryQuerySet(TenantQuerySet):
    tenant = "delivery__endpoint__client_id"


class WebhookDelivery(models.Model):
    """One event for one endpoint. Its uuid is the `webhook-id`, the same at every attempt; so is the body."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DELIVERED = "delivered", _("delivered")
        SET_ASIDE = "failed", _("failed")  # after its last attempt

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    # None of a test call.
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, blank=True, related_name="+")
    event_id = models.BigIntegerField(_("event"), null=True, blank=True)
    kind = models.CharField(_("event"), max_length=50)
    body = models.TextField(_("body"), blank=True, default="")  # empty: made anew, something in it was erased
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    attempt_count = models.PositiveIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = OfEndpointQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("webhook delivery"), _("webhook deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhook_event_once", condition=Q(event_id__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_newest"),
            # The next of a lane.
            models.Index(
                fields=["endpoint", "conversation", "id"], name="webhook_pending", condition=Q(state="pending")
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_failed", condition=Q(state="failed")),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class WebhookAttempt(models.Model):
    """One call of an endpoint, as it went."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(_("at"))
    duration = models.PositiveIntegerField(_("milliseconds"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)  # None: no answer
    error = models.CharField(_("error"), max_length=255, blank=True, default="")
    request_headers = StrictJSONField(_("request head"), default=dict)
    response_headers = StrictJSONField(_("response head"), default=dict)
    response_body = models.TextField(_("response"), blank=True, default="")  # its first kilobytes

    objects = OfDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("webhook attempt"), _("webhook attempts")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"


class WebhookLane(models.Model):
    """The queue of one endpoint and conversation while something is pending in it: its first delivery is
    attempted when it is due, the next ones wait for it. Whoever holds the claim works on it alone."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="lanes", db_index=False)
    conversation_id = models.BigIntegerField(default=0)  # 0: of none; no foreign key, an empty lane is dropped
    due_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "conversation_id"], name="webhook_lane_once")]
        indexes = [models.Index(fields=["due_at"], name="webhook_lane_due")]

    def __str__(self) -> str:
        return f"{self.endpoint_id}/{self.conversation_id}"


class WebhookPosition(models.Model):
    """How far the event log has been handed out to endpoints; one row."""

    event_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.event_id)
