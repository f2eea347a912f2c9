"""Lists of messages: the newest 10,000 of a conversation (contract `behaviour.md`), a page at a time."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.conf import settings

from chatplatform.db.prepared import Rows, integer

from .models import Attachment, Message
from .text import PREVIEW, plain_text

_FAR = 1000  # rows that are skipped rather than counted from the other end
_END = 2**62  # behind every place


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


def page_between(
    conversation: dict[str, Any],
    *,
    above: int | None,
    below: int | None,
    columns: tuple[str, ...],
    descending: bool,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """These columns of a page of the window's messages after the place `above` and before `below`.

    `conversation` has its `id`, `message_count` and `last_seq`.
    """
    return _between(columns, descending).dicts(
        conversation=conversation["id"],
        above=max(above or 0, _first_place(conversation) - 1),
        below=_END if below is None else below,
        limit=limit,
        offset=offset,
    )


def _first_place(conversation: dict[str, Any]) -> int:
    """The place of the window's oldest message."""
    count, last, size = conversation["message_count"], conversation["last_seq"], settings.MESSAGE_WINDOW
    if count <= size:
        return 0
    if count == last:  # every place has a message that is served
        return int(last - size + 1)
    rows = Message.objects.of(conversation["id"]).counted().order_by("-seq").values_list("seq", flat=True)
    return int(rows[size - 1])


def last_texts(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The last messages' whole texts, by the conversations' ids, where a conversation keeps the beginning
    only; no query where there are none. Rows need id, last_message_text and last_message_seq."""
    wanted = {row["id"]: row["last_message_seq"] for row in rows if len(row["last_message_text"]) >= PREVIEW}
    if not wanted:
        return {}
    said = Message.objects.filter(conversation_id__in=wanted, seq__in=wanted.values())
    columns = said.values_list("conversation_id", "seq", "type", "text", "content")
    return {pk: plain_text(*message) for pk, seq, *message in columns if wanted[pk] == seq}


#: Of an attachment, and of the upload where it is one.
FILE = ("uuid", "message_id", "file_name", "file_type", "file_size", "url", "upload__uuid", "upload__removed_at")


def attachments_of(message_ids: Sequence[int]) -> Iterable[dict[str, Any]]:
    """The values `FILE` of the files of a page's messages, in their order; no query where there are none."""
    return Attachment.objects.filter(message_id__in=message_ids).values(*FILE) if message_ids else ()


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


@cache
def _between(columns: tuple[str, ...], descending: bool) -> Rows:
    return Rows(
        lambda: (
            Message.objects.of(integer("conversation"))  # type: ignore[arg-type]
            .counted()
            .filter(seq__gt=integer("above"), seq__lt=integer("below"))
            .order_by("-seq" if descending else "seq")
            .values(*columns)
        ),
        paged=True,
    )
