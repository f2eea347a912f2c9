"""What must be counted anew although no event says so."""

from collections.abc import Collection

from conversations.models import Conversation

from .models import Mark


def mark(ids: Collection[int]) -> None:
    """Within the transaction that changes these conversations."""
    rows = Conversation.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "client_id")
    Mark.objects.bulk_create(Mark(conversation_id=pk, client_id=client) for pk, client in rows)
