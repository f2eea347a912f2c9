from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from clients.querysets import TenantQuerySet

from ..querysets import OfConversationQuerySet
from .conversation import Conversation

TAG_LENGTH = 50  # characters
FOLDED_LENGTH = 100  # folding may take more letters: ﷺ is 18


class Tag(models.Model):
    """A label of one client; `folded` (case and accents) is what makes two the same."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="tags", verbose_name=_("client"))
    name = models.CharField(_("name"), max_length=TAG_LENGTH)
    folded = models.CharField(max_length=FOLDED_LENGTH, editable=False)
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
