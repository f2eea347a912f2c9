"""Messages, their attachments, and the uploads that attachments are made of."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chatplatform.db.textindex import IndexedText
from clients.fields import StrictJSONField
from clients.models import Agent, ApiToken, Client, Contact, User, new_uuid
from clients.querysets import TenantQuerySet
from conversations.models import Conversation

from .querysets import MessageManager

MAX_TEXT_BYTES = 65_536


class Message(models.Model):
    class Type(models.TextChoices):
        TEXT = "text", _("text")
        IMAGE = "image", _("image")
        VIDEO = "video", _("video")
        AUDIO = "audio", _("audio")
        FILE = "file", _("file")
        LOCATION = "location", _("location")
        CONTACT = "contact", _("contact")
        EVENT = "event", _("event")  # a line of the thread that nobody wrote; staff alone see it

    class Status(models.TextChoices):
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        READ = "read", _("read")
        FAILED = "failed", _("failed")

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private note")
        HELD = "held", _("held by anti-spam")

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="messages", db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages", db_index=False)
    #: Place within the conversation, from 1, given under its lock: the order of commit.
    seq = models.PositiveBigIntegerField(_("no."), editable=False)
    type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.TEXT)
    text = models.TextField(_("text"), blank=True, default="")  # of a text its body, else the caption
    content = StrictJSONField(_("content"), default=dict, blank=True)  # the object named after a type that is no text
    search = IndexedText()  # the stems of what it says; none of a message from before there was an index
    metadata = StrictJSONField(_("metadata"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.SENT)
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)

    # Who wrote it: at most one of the three (an event has none), under the name they had then.
    sender_user = models.ForeignKey(User, models.RESTRICT, null=True, related_name="+", db_index=False)
    sender_contact = models.ForeignKey(Contact, models.RESTRICT, null=True, related_name="+", db_index=False)
    sender_agent = models.ForeignKey(Agent, models.RESTRICT, null=True, related_name="+", db_index=False)
    sender_name = models.CharField(_("sender"), max_length=255, blank=True, default="")
    #: A customer message as the contracts define it: by a contact or an end user.
    is_customer = models.BooleanField(_("by a customer"), default=False)

    is_flagged = models.BooleanField(_("flagged"), default=False)
    flag_reasons = StrictJSONField(_("reasons of the flag"), default=list, blank=True)
    attachment_count = models.PositiveSmallIntegerField(default=0, editable=False)
    #: The customer message that this bot's answer fills the one reply slot of.
    reply_to = models.OneToOneField("self", models.SET_NULL, null=True, related_name="reply")
    tokens_used = models.PositiveIntegerField(_("tokens used"), null=True)
    processing_time = models.FloatField(_("processing time (s)"), null=True)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=6, null=True)

    created_at = models.DateTimeField(_("sent"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    edited_at = models.DateTimeField(_("edited"), null=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True)

    objects = MessageManager()

    class Meta:
        verbose_name, verbose_name_plural = _("message"), _("messages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_unique"),
            models.CheckConstraint(name="message_seq_from_one", condition=Q(seq__gte=1)),
            models.CheckConstraint(
                name="message_one_sender",
                condition=Q(sender_user=None, sender_contact=None)
                | Q(sender_user=None, sender_agent=None)
                | Q(sender_contact=None, sender_agent=None),
            ),
            models.CheckConstraint(
                name="message_event_is_private",
                condition=~Q(type="event") | Q(visibility="private", sender_user=None, sender_contact=None),
            ),
            models.CheckConstraint(
                name="message_customer_is_no_agent", condition=Q(is_customer=False) | Q(sender_agent=None)
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="message_by_client"),
            models.Index(fields=["client", "-created_at", "-id"], name="message_newest"),
            models.Index(
                fields=["client", "-id"], name="message_held", condition=Q(visibility="held", deleted_at__isnull=True)
            ),
            *(
                models.Index(
                    fields=[f"sender_{kind}", "-id"],
                    name=f"message_by_{kind}",
                    condition=Q(**{f"sender_{kind}__isnull": False}),
                )
                for kind in ("user", "contact", "agent")
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80] or f"[{self.type}]"


class HeldMessage(Message):
    """A message in quarantine, as staff have them before them."""

    class Meta:
        proxy = True
        verbose_name, verbose_name_plural = _("held message"), _("messages in quarantine")


class Upload(models.Model):
    """A file on its way in: announced, then received once, then used by one attachment."""

    class State(models.TextChoices):
        PENDING = "pending", _("announced")
        READY = "ready", _("received")
        USED = "used", _("in a message")

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="uploads")
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="uploads")
    created_by_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_by_token = models.ForeignKey(ApiToken, models.SET_NULL, null=True, related_name="+")
    file_name = models.CharField(_("file name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveBigIntegerField(_("size (bytes)"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    storage_key = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(_("announced"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    received_at = models.DateTimeField(_("received"), null=True)
    #: Retention took its bytes; the row stays with the message that shows it.
    removed_at = models.DateTimeField(_("removed"), null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("upload"), _("uploads")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="upload_ready_has_bytes",
                condition=Q(state="pending") | ~Q(storage_key="") & Q(received_at__isnull=False),
            ),
            models.CheckConstraint(name="upload_expires_later", condition=Q(expires_at__gt=F("created_at"))),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="upload_unused", condition=~Q(state="used")),
            models.Index(fields=["client", "-id"], name="upload_by_client"),
            models.Index(
                fields=["client", "received_at", "id"],
                name="upload_kept",
                condition=Q(state="used", removed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class Attachment(models.Model):
    """A file shown with a message: one of our uploads, or an address elsewhere."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    upload = models.OneToOneField(Upload, models.RESTRICT, null=True, related_name="attachment")
    file_name = models.CharField(_("file name"), max_length=255)
    file_type = models.CharField(_("type"), max_length=100, blank=True, default="")
    file_size = models.PositiveBigIntegerField(_("size (bytes)"), null=True)
    url = models.URLField(_("address elsewhere"), max_length=2000, blank=True, default="")
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = models.Manager()

    class Meta:
        verbose_name, verbose_name_plural = _("attachment"), _("attachments")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="attachment_one_place", condition=Q(upload=None) ^ Q(url="")),
        ]

    def __str__(self) -> str:
        return self.file_name


class DoomedFile(models.Model):
    """Bytes that no row needs any more: written in the transaction in which the row goes, and gone once
    the bytes are, so that neither outlives the other, whoever is killed between."""

    storage_key = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = models.Manager()

    class Meta:
        verbose_name, verbose_name_plural = _("doomed file"), _("doomed files")

    def __str__(self) -> str:
        return self.storage_key


from .bot_models import AgentReserve as AgentReserve  # noqa: E402
from .bot_models import AgentUsage as AgentUsage  # noqa: E402
from .knowledge_models import Article as Article  # noqa: E402
from .knowledge_models import ArticleTerm as ArticleTerm  # noqa: E402
from .knowledge_models import CannedReply as CannedReply  # noqa: E402
from .rule_models import AutoTag as AutoTag  # noqa: E402
from .rule_models import CommunicationRule as CommunicationRule  # noqa: E402
from .rule_models import RuleReply as RuleReply  # noqa: E402
from .webhook_models import WebhookAttempt as WebhookAttempt  # noqa: E402
from .webhook_models import WebhookDelivery as WebhookDelivery  # noqa: E402
from .webhook_models import WebhookEndpoint as WebhookEndpoint  # noqa: E402
from .webhook_models import WebhookLane as WebhookLane  # noqa: E402
from .webhook_models import WebhookPosition as WebhookPosition  # noqa: E402
