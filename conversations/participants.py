"""Reads of who takes part."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from .models import Participant


def users_of(conversation_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The users who take part in these conversations (which the caller may see), first come first, by
    the conversation's id; one statement for a page of them."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if conversation_ids:
        people = Participant.objects.present().filter(conversation__in=conversation_ids, user__isnull=False)
        for row in people.order_by("id").values(
            "conversation_id", "user_id", "user__uuid", "user__name", "user__email",
            "unread_count", "last_read_at", "joined_at", "updated_at",
        ):  # fmt: skip
            found[row["conversation_id"]].append(row)
    return found
