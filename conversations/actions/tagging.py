from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from chatplatform.errors import Conflict, Invalid, NotFound
from chatplatform.text import fold
from clients.callers import Caller

from .. import events
from ..models import Conversation, ConversationTag, Tag
from ..models.tags import TAG_LENGTH
from .lifecycle import ensure_open
from .locking import Target, lock


def tag_conversation(conversation: Conversation, names: Iterable[str]) -> list[str]:
    """Adds tags to a conversation whose lock is held; answers those that were new to it."""
    have = {fold(name) for name in conversation.tags.values_list("name", flat=True)}
    added = []
    for name in names:
        if fold(name) in have:
            continue
        have.add(fold(name))
        ConversationTag.objects.create(conversation=conversation, tag=_tag(conversation.client_id, name))
        added.append(name)
    return added


@transaction.atomic
def set_tags(*, conversation: Target, names: Sequence[str], by: Caller, at: datetime | None = None) -> Conversation:
    """Exactly these tags, whatever it had; names are compared with case and accents folded."""
    if any(not name.strip() or len(name) > TAG_LENGTH for name in names):
        raise Invalid("Bad tag", fields={"tags": [f"each tag is 1 to {TAG_LENGTH} characters"]})
    row = lock(conversation)
    ensure_open(row)
    old = list(row.tags.order_by("taggings__id").values_list("name", flat=True))
    wanted = {fold(name) for name in names}
    gone = row.taggings.exclude(tag__folded__in=wanted)
    removed, _ = gone.delete()
    added = tag_conversation(row, names)
    if removed or added:
        new = list(row.tags.order_by("taggings__id").values_list("name", flat=True))
        events.record_update(row, {"tags": [old, new]}, at=at)
    return row


@transaction.atomic
def save_tag(tag: Tag) -> Tag:
    """A tag of the client's list, new or renamed."""
    tag.name = " ".join(tag.name.split())
    tag.folded = fold(tag.name)
    tag.save()
    return tag


@transaction.atomic
def delete_tag(tag: Tag) -> None:
    """Raises Conflict while a conversation has it: taking it from there is a change of the conversation."""
    row = Tag.objects.select_for_update().filter(pk=tag.pk).first()
    if row is None:
        raise NotFound("Tag")
    if row.taggings.exists():
        raise Conflict("The tag is in use")
    row.delete()


def _tag(client_id: int, name: str) -> Tag:
    tag, _ = Tag.objects.get_or_create(client_id=client_id, folded=fold(name), defaults={"name": name})
    result: Tag = tag
    return result
