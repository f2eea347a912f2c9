"""Conversations for good: they themselves and every row that hangs off them, a few at a time."""

from collections import Counter
from functools import cache

from django.db.models import CASCADE, DateTimeField, Model, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet
from conversations.silent import changed_silently

from ..models import DoomedFile, Upload
from .files import doom

_AT_ONCE = 50  # conversations that go together
_MARK = DoomedFile._meta.label


@cache
def dependents(root: type[Model] = Conversation) -> tuple[tuple[type[Model], str], ...]:
    """The models whose rows go with a row of this one, and the way back to it; children first. Found by
    their foreign keys, so that no table is forgotten."""
    found: dict[tuple[type[Model], str], None] = {}
    for relation in root._meta.get_fields(include_hidden=True):
        if not (relation.one_to_many or relation.one_to_one) or relation.concrete:
            continue
        how = relation.on_delete  # type: ignore[union-attr]
        if how is not CASCADE or relation.related_model is root:
            continue
        name, model = relation.field.name, relation.related_model  # type: ignore[union-attr]
        found.update({(child, f"{way}__{name}"): None for child, way in dependents(model)})  # type: ignore[arg-type]
        found[model, name] = None  # type: ignore[index]
    return tuple(found)


def remove(rows: ConversationQuerySet, limit: int) -> Counter[str]:
    """Within a transaction: removes at most `limit` rows of the first of these conversations, and what was
    begun before. Answers what went, by the names of the models; nothing when none is left.

    One that does not go whole is out of every list from here on, and is finished by the next calls.
    """
    chosen = rows.select_for_update(of=("self",), skip_locked=True)
    roots = [row.pk for row in chosen.only("pk")[:_AT_ONCE]]
    gone: Counter[str] = Counter()
    if not roots:
        return gone
    changed_silently(roots)
    left = limit - len(roots) - 2  # each of them is deleted, or marked; two are for the marks of a last file
    for model, way in dependents():
        most = max(1, left // 3) if model is Upload else left  # a file may leave two marks
        found = model._base_manager.filter(**{f"{way}__in": roots}).order_by()  # an order would choose the plan
        pks = list(found.values_list("pk", flat=True)[:most])
        gone += _delete(model, pks)
        left = limit - len(roots) - 2 - gone.total()
        if len(pks) == most or left <= 0:  # there may be more
            _mark(roots)
            return gone
    return gone + _delete(Conversation, roots)


def _mark(roots: list[int]) -> None:
    now = timezone.now()
    deleted = Coalesce("deleted_at", Value(now, DateTimeField()))
    Conversation.objects.filter(pk__in=roots, removing_since=None).update(removing_since=now, deleted_at=deleted)


def _delete(model: type[Model], pks: list[int]) -> Counter[str]:
    if not pks:
        return Counter()
    marks = 0
    if model is Upload:
        files = Upload.objects.filter(pk__in=pks, removed_at=None)
        marks = doom(files.only("uuid", "state", "storage_key"))
    # Only keys are read on the way: a message's text may be long.
    _, gone = model._base_manager.filter(pk__in=pks).only("pk").delete()
    return Counter({**{label: count for label, count in gone.items() if count}, **({_MARK: marks} if marks else {})})
