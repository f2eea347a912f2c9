from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.fields import StrictJSONField
from clients.models import Client, User, new_uuid
from clients.querysets import TenantQuerySet

from ..querysets import OfConversationQuerySet
from ..states import Status
from .conversation import Conversation


class StateChange(models.Model):
    """The history of a conversation's states: who, when, from, to, why."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="state_changes")
    old = models.CharField(_("from"), max_length=20)
    new = models.CharField(_("to"), max_length=20, choices=Status.choices)
    by_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    by_name = models.CharField(_("by"), max_length=255, blank=True, default="")
    reason = models.CharField(_("why"), max_length=255, blank=True, default="")
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    objects = OfConversationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("state change"), _("state changes")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.old or '—'} → {self.new}"


class SessionHistory(models.Model):
    """A stretch of messages without 30 minutes of silence (contract `assistant`)."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="sessions", db_index=False)
    session_start = models.DateTimeField(_("start"))
    session_end = models.DateTimeField(_("end"))
    messages_count = models.PositiveIntegerField(_("messages"), default=0)
    duration_minutes = models.PositiveIntegerField(_("minutes"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = OfConversationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("session"), _("session history")
        ordering = ["-session_start"]
        constraints = [
            models.CheckConstraint(name="session_in_order", condition=Q(session_start__lte=F("session_end"))),
            models.UniqueConstraint(fields=["conversation", "session_start"], name="session_once"),
        ]

    def __str__(self) -> str:
        return f"{self.session_start:%Y-%m-%d %H:%M}"


class Event(models.Model):
    """What happened, written in the transaction of the change. Within a conversation the ids are in
    commit order, because whoever writes one holds the conversation's row."""

    uuid = models.UUIDField(default=new_uuid, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="events")
    kind = models.CharField(_("event"), max_length=50)
    data = StrictJSONField(_("data"), default=dict)
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("event"), _("events")
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="event_by_client")]

    def __str__(self) -> str:
        return self.kind
