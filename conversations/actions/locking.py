"""The one way to a conversation that is about to change."""

from typing import Any

from django.utils import timezone

from chatplatform.errors import NotFound

from ..models import Conversation
from ..querysets import ConversationQuerySet
from ..visible import Visible

#: A conversation: the row, or its id as a caller sees it, or a queryset (scoped already) that names one.
Target = Conversation | Visible | ConversationQuerySet


def lock(target: Target) -> Conversation:
    """The row, locked until the transaction ends; raises NotFound where it is not (or no longer) there."""
    if isinstance(target, Visible):
        row = target.lock()
    else:
        if isinstance(target, Conversation):
            target = Conversation.objects.alive().filter(pk=target.pk)
        row = target.locked().order_by().first()
    if row is None:
        raise NotFound("Conversation")
    return row


def save(conversation: Conversation, **values: Any) -> None:
    """Writes these columns of a locked row, and nothing else."""
    values.setdefault("updated_at", timezone.now())
    for name, value in values.items():
        setattr(conversation, name, value)
    Conversation.objects.filter(pk=conversation.pk).update(**values)
