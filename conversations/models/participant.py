from typing import cast

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Agent, Contact, User, new_uuid

from ..querysets import ParticipantQuerySet
from .conversation import Conversation


class Participant(models.Model):
    """One person in one conversation: exactly one of a user, a contact, an agent."""

    class Role(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        AGENT = "agent", _("agent")
        SUPERVISOR = "supervisor", _("supervisor")
        MANAGER = "manager", _("manager")
        PARTICIPANT = "participant", _("participant")

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="participations", db_index=False)
    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, blank=True, related_name="participations", db_index=False
    )
    agent = models.ForeignKey(
        Agent, models.CASCADE, null=True, blank=True, related_name="participations", db_index=False
    )
    role = models.CharField(_("role"), max_length=50, choices=Role.choices, default=Role.PARTICIPANT)
    can_write = models.BooleanField(default=True)
    can_manage = models.BooleanField(default=False)
    can_read = models.BooleanField(default=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True)
    last_read_seq = models.PositiveBigIntegerField(default=0)
    #: Messages of others not yet read; kept for users, who alone have a place to see it.
    unread_count = models.PositiveIntegerField(_("unread"), default=0)
    # Copies of the conversation's, so that one person's list is one walk along one index.
    activity_at = models.DateTimeField(default=timezone.now, editable=False)
    is_pinned = models.BooleanField(default=False, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("participant"), _("participants")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="participant_is_one_person",
                condition=Q(user__isnull=False, contact=None, agent=None)
                | Q(user=None, contact__isnull=False, agent=None)
                | Q(user=None, contact=None, agent__isnull=False),
            ),
            *(
                models.UniqueConstraint(
                    fields=["conversation", kind], name=f"participant_{kind}_once", condition=Q(removed_at__isnull=True)
                )
                for kind in ("user", "contact", "agent")
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "-is_pinned", "-activity_at", "-conversation"],
                name="participant_user_pinned",
                condition=Q(user__isnull=False, removed_at__isnull=True),
            ),
            models.Index(
                fields=["user", "-conversation"],
                name="participant_user_newest",
                condition=Q(user__isnull=False, removed_at__isnull=True),
            ),
            *(
                models.Index(
                    fields=[kind, "-activity_at", "-conversation"],
                    name=f"participant_by_{kind}",
                    condition=Q(**{f"{kind}__isnull": False}, removed_at__isnull=True),
                )
                for kind in ("user", "contact", "agent")
            ),
            models.Index(
                fields=["contact"],
                name="participant_contact_left",
                condition=Q(contact__isnull=False, removed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} ({self.role})"

    @property
    def person(self) -> "User | Contact | Agent":
        return cast("User | Contact | Agent", self.user or self.contact or self.agent)  # a constraint holds it
