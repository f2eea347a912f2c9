"""Lists of messages: the newest 10,000 of a conversation (contract `behaviour.md`), a page at a time."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.conf import settings

from chatplatform.db.prepared import Rows, integer

from .models import Attachment, Message

_FAR = 1000  # rows that are skipped rather than counted from the other end


def page(
    conversation_id: int, *, count: int, columns: tuple[str, ...], descending: bool, limit: int, offset: int
) -> list[dict[str, Any]]:
    """These columns of a page of the window; `count` is the conversation's `message_count`.

    Ascending, the window begins at its oldest message.
    """
    total = min(count, settings.MESSAGE_WINDOW)
    limit = min(limit, settings.MESSAGE_WINDOW - offset)
    if limit <= 0:
        return []
    skipped = offset if descending else count - total + offset
    from_other_end = total - offset - limit if not descending else count - offset - limit
    if skipped > _FAR and 0 <= from_other_end < skipped:
        rows = _statement(columns, not descending).dicts(
            conversation=conversation_id, limit=limit, offset=from_other_end
        )
        return rows[::-1]
    return _statement(columns, descending).dicts(conversation=conversation_id, limit=limit, offset=skipped)


def attachments_of(message_ids: Sequence[int]) -> Iterable[Attachment]:
    """The files of a page's messages, in their order; no query where there are none."""
    return Attachment.objects.filter(message_id__in=message_ids) if message_ids else ()


@cache
def _statement(columns: tuple[str, ...], descending: bool) -> Rows:
    return Rows(
        lambda: (
            Message.objects.of(integer("conversation"))  # type: ignore[arg-type]
            .counted()
            .order_by("-seq" if descending else "seq")
            .values(*columns)
        ),
        paged=True,
    )
