"""The index against what messages say, and the mending of it, while others write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from chatplatform.db import textindex

from ..models import Message
from ..text import said
from .text import stems

BATCH = 1000
_COLUMNS = ("pk", "client__search_language", "type", "text", "content")


@dataclass(frozen=True, slots=True)
class Batch:
    looked_at: int
    wrong: int  # not indexed, or not as they should be
    last: int  # id: all up to here are done


def reindex(client_id: int | None = None, *, after: int = 0, repair: bool = True) -> Iterator[Batch]:
    """Every message, held and deleted ones too, in the order of ids."""
    rows = Message.objects.all() if client_id is None else Message.objects.for_client(client_id)
    while batch := _words(rows.filter(pk__gt=after).order_by("pk")[:BATCH]):
        wrong = textindex.differing(Message, "search", batch)
        if wrong and repair:
            _settle(wrong)
        after = max(batch)
        yield Batch(len(batch), len(wrong), after)


@transaction.atomic
def _settle(pks: Sequence[int]) -> None:
    """What they say may have changed since it was read: it is read again, locked."""
    rows = Message.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True, of=("self",))
    textindex.store(Message, "search", _words(rows))


def _words(rows: Any) -> dict[int, Sequence[str]]:
    return {pk: stems(said(*what), language) for pk, language, *what in rows.values_list(*_COLUMNS)}
