from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.fields import StrictJSONField
from clients.models import Agent, Client, User, new_uuid

from ..querysets import ConversationQuerySet
from ..states import OPEN, Status

ALIVE = Q(deleted_at__isnull=True)
#: What the desk's lists have, but for what is snoozed.
AT_HAND = Q(status__in=OPEN, is_archived=False)


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
    #: Its rows are being removed for good, in more than one transaction; what is left of it proves nothing.
    removing_since = models.DateTimeField(null=True, editable=False)

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
        # One index a list: keyset by activity within the client, within a status or a channel, pinned first, within
        # what is one agent's or one queue's. Those of one person's conversations are Participant's.
        indexes = [
            models.Index(fields=["client", "-activity_at", "-id"], name="conversation_by_activity", condition=ALIVE),
            models.Index(fields=["client", "-created_at", "-id"], name="conversation_newest", condition=ALIVE),
            models.Index(
                fields=["owner", "-created_at", "-id"],
                name="conversation_newest_of_owner",
                condition=ALIVE & Q(owner__isnull=False),
            ),
            models.Index(
                fields=["client", "bot_id", "-created_at", "-id"],
                name="conversation_by_bot",
                condition=ALIVE & Q(bot_id__isnull=False),
            ),
            models.Index(
                fields=["client", "status", "-activity_at", "-id"], name="conversation_by_status", condition=ALIVE
            ),
            models.Index(
                fields=["client", "channel", "-activity_at", "-id"], name="conversation_by_channel", condition=ALIVE
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
            # The desk's lists: few of all conversations are in one.
            models.Index(
                fields=["client", "-activity_at", "-id"], name="conversation_at_hand", condition=ALIVE & AT_HAND
            ),
            models.Index(
                fields=["assigned_agent", "-activity_at", "-id"],
                name="conversation_at_hand_of_agent",
                condition=ALIVE & AT_HAND,
            ),
            models.Index(
                fields=["client", "waiting_since", "id"],
                name="conversation_waiting",
                condition=ALIVE & AT_HAND & Q(waiting_since__isnull=False),
            ),
            models.Index(
                fields=["client", "-activity_at", "-id"],
                name="conversation_flagged",
                condition=ALIVE & Q(is_flagged=True),
            ),
            models.Index(
                fields=["client", "snoozed_until", "id"],
                name="conversation_snoozed",
                condition=ALIVE & Q(snoozed_until__isnull=False),
            ),
            # What retention looks for.
            models.Index(
                fields=["client", "status_changed_at", "id"], name="conversation_closed", condition=Q(status="closed")
            ),
            models.Index(
                fields=["client", "deleted_at", "id"],
                name="conversation_deleted",
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=["client", "id"], name="conversation_removing", condition=Q(removing_since__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The title, else the room, else the channel."""
        return self.title or self.room or self.channel
