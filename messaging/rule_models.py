"""What a client's communication rules and auto-tags are kept in."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.checks import QUEUE_LENGTH, validate_not_blank
from clients.fields import StrictJSONField
from clients.models import Client, new_uuid
from clients.querysets import TenantQuerySet
from conversations.models import Conversation
from conversations.models.tags import TAG_LENGTH

#: Of an auto-reply, in characters: fewer bytes than a message may have, whatever they are.
REPLY_LENGTH = 16_384


class CommunicationRule(models.Model):
    """When customers are answered (`allow`) or not (`deny`), and what happens when they are not."""

    class Type(models.TextChoices):
        ALLOW = "allow", _("allow: open at these times")
        DENY = "deny", _("deny: closed at these times")

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="communication_rules", verbose_name=_("client"))
    name = models.CharField(_("name"), max_length=255, validators=[validate_not_blank])
    type = models.CharField(_("type"), max_length=5, choices=Type.choices)
    # The conditions; an empty one holds always.
    start = models.TimeField(_("from"), null=True, blank=True)
    end = models.TimeField(_("until"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    days = StrictJSONField(_("days"), default=list, blank=True)  # names, in the order of the week
    channel = models.CharField(_("channel"), max_length=50, blank=True, default="")
    tag = models.CharField(_("tag"), max_length=TAG_LENGTH, blank=True, default="")
    # The actions.
    auto_reply = models.TextField(_("auto-reply"), max_length=REPLY_LENGTH, blank=True, default="")
    route_to = models.CharField(_("into the queue"), max_length=QUEUE_LENGTH, blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("communication rule"), _("communication rules")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="rule_range_is_whole",
                condition=Q(start=None, end=None)
                | Q(start__isnull=False, end__isnull=False) & ~Q(start=F("end")),
            ),
            models.CheckConstraint(name="rule_type_known", condition=Q(type__in=["allow", "deny"])),
            models.CheckConstraint(name="rule_does_something", condition=~Q(auto_reply="", route_to="")),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class RuleReply(models.Model):
    """When a rule's auto-reply was last sent in a conversation. Written under the conversation's lock."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+", db_index=False)
    #: Without a constraint of the database: a rule may be deleted while a message is on its way.
    rule = models.ForeignKey(CommunicationRule, models.CASCADE, related_name="replies", db_constraint=False)
    replied_at = models.DateTimeField()

    objects: Any = models.Manager()

    class Meta:
        verbose_name, verbose_name_plural = _("auto-reply of a conversation"), _("auto-replies of conversations")
        constraints = [models.UniqueConstraint(fields=["conversation", "rule"], name="rule_reply_unique")]

    def __str__(self) -> str:
        return f"{self.rule_id}, {self.replied_at:%Y-%m-%d %H:%M}"


class AutoTag(models.Model):
    """A customer's message with a word that begins with one of these gets the conversation the tag."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="auto_tags", verbose_name=_("client"))
    words = StrictJSONField(_("words"), default=list)
    tag = models.CharField(_("tag"), max_length=TAG_LENGTH, validators=[validate_not_blank])
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("auto-tag"), _("auto-tags")
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="auto_tag_not_empty", condition=~Q(tag=""))]

    def __str__(self) -> str:
        return self.tag
