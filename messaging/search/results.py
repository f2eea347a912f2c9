"""The rows that a search found, with what of them matches."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from ..models import Message
from ..querysets import COUNTED
from ..text import plain_text
from .marking import marked
from .query import Parsed

_SAID = ("type", "text", "content")


def results(ids: Sequence[int], parsed: Parsed, *columns: str, shown: Q = COUNTED) -> list[dict[str, Any]]:
    """These columns of the messages that may still be shown, in the order of the ids, each with its `highlight`."""
    if not ids:
        return []
    rows = Message.objects.filter(shown, pk__in=ids)
    names = dict.fromkeys((*columns, "pk", *_SAID, "client__search_language"))
    found = {row["pk"]: row for row in rows.values(*names)}
    languages = {row["client__search_language"] for row in found.values()}
    wanted = {language: parsed.words(language) for language in languages}
    for row in found.values():
        language = row.pop("client__search_language")
        row["highlight"] = marked(plain_text(*(row[name] for name in _SAID)), wanted[language], language)
    return [found[pk] for pk in ids if pk in found]
