from collections.abc import Iterable

from django.db import transaction

from chatplatform.errors import Conflict, Invalid, NotFound
from chatplatform.text import fold

from .. import events
from ..models import Conversation, ConversationTag, Tag
from ..models.tags import FOLDED_LENGTH, TAG_LENGTH

TAGS = 100  # of a conversation
RENAMED = 1000  # conversations of a tag that can be renamed


def tag_conversation(conversation: Conversation, names: Iterable[str]) -> list[str]:
    """Adds tags to a conversation whose lock is held; answers those that were new to it."""
    wanted = by_fold(names)
    have = set(conversation.taggings.values_list("tag__folded", flat=True)) if wanted else set()
    missing = {folded: name for folded, name in wanted.items() if folded not in have}
    if missing:
        if len(have) + len(missing) > TAGS:
            raise Invalid("Too many tags", fields={"tags": [f"at most {TAGS} tags"]})
        tags = _tags(conversation.client_id, missing)
        ConversationTag.objects.bulk_create(
            ConversationTag(conversation=conversation, tag=tags[folded]) for folded in missing
        )
    return list(missing.values())


def replace_tags(conversation: Conversation, names: Iterable[str]) -> list[list[str]] | None:
    """Gives a locked conversation exactly these tags: [the old, the new], None where they were the same."""
    wanted = by_fold(names)
    old = tag_names(conversation)
    removed, _ = conversation.taggings.exclude(tag__folded__in=wanted).delete()
    added = tag_conversation(conversation, wanted.values())
    return [old, tag_names(conversation)] if removed or added else None


def tag_names(conversation: Conversation) -> list[str]:
    """In the order in which they were given."""
    return list(conversation.taggings.values_list("tag__name", flat=True))


def by_fold(names: Iterable[str]) -> dict[str, str]:
    """Each tag once, by what makes two the same: case and accents folded. Raises Invalid."""
    found: dict[str, str] = {}
    for name in (" ".join(name.split()) for name in names):
        folded = fold(name)
        if not name or len(name) > TAG_LENGTH or len(folded) > FOLDED_LENGTH:
            raise Invalid("Bad tag", fields={"tags": [f"each tag is 1 to {TAG_LENGTH} characters"]})
        found.setdefault(folded, name)
    return found


@transaction.atomic
def save_tag(tag: Tag) -> Tag:
    """A tag of the client's list, new or renamed, which is a change of each conversation that has it. Raises
    Conflict where those are too many to be told of at once."""
    tag.name = " ".join(tag.name.split())
    tag.folded = fold(tag.name)
    named = Conversation.objects.filter(taggings__tag=tag.pk).order_by("pk") if tag.pk else Conversation.objects.none()
    rows = list(named.select_for_update(of=("self",))[: RENAMED + 1])
    if len(rows) > RENAMED:
        raise Conflict(f"The tag is on more than {RENAMED} conversations: give them another one instead")
    before = {row.pk: tag_names(row) for row in rows}
    tag.save()
    for row in rows:
        if (names := tag_names(row)) != before[row.pk]:
            events.record_update(row, {"tags": [before[row.pk], names]})
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


def _tags(client_id: int, names: dict[str, str]) -> dict[str, Tag]:
    """The client's tags of these names (by fold), made where there are none."""
    ours = Tag.objects.for_client(client_id)
    found = {tag.folded: tag for tag in ours.filter(folded__in=names)}
    # In one order, so that no two who make the same tags wait for each other.
    if absent := sorted(names.keys() - found.keys()):
        Tag.objects.bulk_create(
            [Tag(client_id=client_id, name=names[folded], folded=folded) for folded in absent], ignore_conflicts=True
        )
        found.update({tag.folded: tag for tag in ours.filter(folded__in=absent)})
    return found
