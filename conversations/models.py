"""What: conversations, who takes part, their tags, states, sessions and events.

The columns carry the domain's own words; `docs/model.md` says which field of which dialect is which.
"""

from typing import Any, cast

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.fields import StrictJSONField
from clients.models import Agent, Client, Contact, User, new_uuid
from clients.querysets import TenantQuerySet

from .querysets import ConversationQuerySet, OfConversationQuerySet, ParticipantQuerySet
from .states import Status

ALIVE = Q(deleted_at__isnull=True)


class Conversation(models.Model):
    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(
        Client, models.CASCADE, related_name="conversations", db_index=False, verbose_name=_("client")
    )
    title = models.CharField(_("title"), max_length=255, blank=True, default="")
    title_folded = models.TextField(default="", editable=False)  # its label, case and accents folded, for searching
    channel = models.CharField(_("channel"), max_length=50)
    kind = models.CharField(_("kind"), max_length=50, default="chat")
    category = models.CharField(_("category"), max_length=50, default="general")
    metadata = StrictJSONField(_("metadata"), default=dict, blank=True)

    # The callers' own keys.
    chat_id = models.CharField(_("chat id"), max_length=255, null=True, blank=True)
    room = models.CharField(_("room"), max_length=255, null=True, blank=True)
    bot_id = models.CharField(_("bot id"), max_length=255, null=True, blank=True)
    taggable_type = models.CharField(_("taggable type"), max_length=255, null=True, blank=True)
    taggable_id = models.BigIntegerField(_("taggable id"), null=True, blank=True)
    external_id = models.CharField(_("external id"), max_length=255, null=True, blank=True)
    #: The values of the request that made it, where a retry must be told from another request.
    origin = StrictJSONField(default=dict, blank=True, editable=False)

    # Its state and whose it is.
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.ACTIVE)
    status_changed_at = models.DateTimeField(_("status changed"), null=True, blank=True, editable=False)
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="owned", db_index=False, verbose_name=_("owner")
    )
    assigned_agent = models.ForeignKey(
        Agent,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned",
        db_index=False,
        verbose_name=_("assigned to"),
    )
    queue = models.CharField(_("queue"), max_length=50, blank=True, default="")
    use_bot = models.BooleanField(_("bot allowed"), default=False)
    is_archived = models.BooleanField(_("archived"), default=False)
    is_pinned = models.BooleanField(_("pinned"), default=False)
    is_flagged = models.BooleanField(_("flagged"), default=False)
    flag_reasons = StrictJSONField(_("reasons of the flag"), default=list, blank=True, editable=False)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)

    # Counters, moved in the transaction of what they count; `verify_integrity` recounts them.
    # Private, quarantined and deleted messages count nowhere but in `last_seq`.
    last_seq = models.PositiveBigIntegerField(default=0, editable=False)
    message_count = models.PositiveIntegerField(_("messages"), default=0, editable=False)
    participant_count = models.PositiveIntegerField(_("participants"), default=0, editable=False)
    last_message_at = models.DateTimeField(_("last message"), null=True, editable=False)
    last_message_seq = models.PositiveBigIntegerField(default=0, editable=False)
    last_message_text = models.TextField(blank=True, default="", editable=False)  # its first 1,000 characters
    activity_at = models.DateTimeField(_("latest activity"), default=timezone.now, editable=False)
    owner_read_seq = models.PositiveBigIntegerField(default=0, editable=False)
    owner_unread = models.PositiveIntegerField(_("unread by the owner"), default=0, editable=False)
    staff_read_seq = models.PositiveBigIntegerField(default=0, editable=False)
    staff_unread = models.PositiveIntegerField(_("unread by staff"), default=0, editable=False)
    #: Time of the first customer message that no agent has answered; auto-replies answer nothing.
    waiting_since = models.DateTimeField(_("waiting since"), null=True, editable=False)
    session_started_at = models.DateTimeField(null=True, editable=False)  # of the session that goes on

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("conversation"), _("conversations")
        constraints = [
            models.UniqueConstraint(fields=["client", "chat_id"], name="conversation_chat_id_unique", condition=ALIVE),
            models.UniqueConstraint(
                fields=["client", "external_id"], name="conversation_external_id_unique", condition=ALIVE
            ),
            models.CheckConstraint(name="conversation_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="conversation_channel_not_empty", condition=~Q(channel="")),
            models.CheckConstraint(
                name="conversation_counts_within_seq", condition=Q(message_count__lte=F("last_seq"))
            ),
            models.CheckConstraint(
                name="conversation_unread_within_count",
                condition=Q(owner_unread__lte=F("message_count"), staff_unread__lte=F("message_count")),
            ),
            models.CheckConstraint(
                name="conversation_read_within_seq",
                condition=Q(owner_read_seq__lte=F("last_seq"), staff_read_seq__lte=F("last_seq")),
            ),
            models.CheckConstraint(
                name="conversation_last_message_whole",
                condition=Q(message_count=0, last_message_at=None)
                | Q(message_count__gt=0, last_message_at__isnull=False),
            ),
        ]
        # One index a list: keyset by activity within the client, within a status, pinned first, within
        # what is one agent's or one queue's. Those of one person's conversations are Participant's.
        indexes = [
            models.Index(fields=["client", "-activity_at", "-id"], name="conversation_by_activity", condition=ALIVE),
            models.Index(
                fields=["client", "status", "-activity_at", "-id"], name="conversation_by_status", condition=ALIVE
            ),
            models.Index(
                fields=["client", "-is_pinned", "-activity_at", "-id"], name="conversation_pinned", condition=ALIVE
            ),
            models.Index(
                fields=["assigned_agent", "-activity_at", "-id"],
                name="conversation_by_agent",
                condition=ALIVE & Q(assigned_agent__isnull=False),
            ),
            models.Index(
                fields=["client", "queue", "-activity_at", "-id"],
                name="conversation_by_queue",
                condition=ALIVE & ~Q(queue=""),
            ),
            models.Index(
                fields=["owner", "-activity_at", "-id"],
                name="conversation_by_owner",
                condition=ALIVE & Q(owner__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The title, else the room, else the channel."""
        return self.title or self.room or self.channel


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
            *(
                models.Index(
                    fields=[kind, "-activity_at", "-conversation"],
                    name=f"participant_by_{kind}",
                    condition=Q(**{f"{kind}__isnull": False}, removed_at__isnull=True),
                )
                for kind in ("user", "contact", "agent")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} ({self.role})"

    @property
    def person(self) -> "User | Contact | Agent":
        return cast("User | Contact | Agent", self.user or self.contact or self.agent)  # a constraint holds it


class Tag(models.Model):
    """A label of one client; `folded` (case and accents) is what makes two the same."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="tags", verbose_name=_("client"))
    name = models.CharField(_("name"), max_length=50)
    folded = models.CharField(max_length=100, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    conversations: Any = models.ManyToManyField(Conversation, through="ConversationTag", related_name="tags")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("tag"), _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "folded"], name="tag_unique"),
            models.CheckConstraint(name="tag_not_empty", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class ConversationTag(models.Model):
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="taggings", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings")
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfConversationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("tag of a conversation"), _("tags of conversations")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["conversation", "tag"], name="conversation_tag_once")]

    def __str__(self) -> str:
        return str(self.tag)


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
