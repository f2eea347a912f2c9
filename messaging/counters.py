"""What a conversation's figures must be, counted from its messages: the oracle of `verify_integrity`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from conversations.models import Conversation, Participant

from .models import Message
from .text import PREVIEW, plain_text


def figures(row: Conversation) -> tuple[dict[str, Any], list[datetime]]:
    """Every counter of a conversation as it should be, and the times of its counted messages."""
    messages = Message.objects.of(row.pk)
    counted = list(
        messages.counted()
        .order_by("seq")
        .values_list("seq", "created_at", "is_customer", "sender_agent_id", "sender_agent__kind")
    )
    waiting: datetime | None = None
    for _, at, is_customer, agent, kind in counted:
        if is_customer:
            waiting = waiting or at
        elif agent is not None and kind != "system":
            waiting = None
    newest = max((at for _, at, _, _, _ in counted), default=None)
    last = messages.latest_of(row.pk)
    highest = messages.order_by("-seq").values_list("seq", flat=True).first() or 0
    values = {
        "last_seq": max(row.last_seq, highest),
        "message_count": len(counted),
        "last_message_at": newest,
        "last_message_seq": last.seq if last else 0,
        "last_message_text": plain_text(last.type, last.text, last.content)[:PREVIEW] if last else "",
        "activity_at": newest or row.created_at,
        "owner_unread": sum(1 for seq, _, _, agent, _ in counted if agent is not None and seq > row.owner_read_seq),
        "staff_unread": sum(1 for seq, _, customer, _, _ in counted if customer and seq > row.staff_read_seq),
        "waiting_since": waiting,
        "participant_count": Participant.objects.present().filter(conversation_id=row.pk).count(),
    }
    return values, [at for _, at, _, _, _ in counted]


def participant_figures(row: Conversation) -> Iterator[tuple[Participant, dict[str, Any]]]:
    """The same for each person who takes part."""
    for participant in Participant.objects.present().filter(conversation_id=row.pk):
        unread = 0
        if participant.user_id is not None:
            unread = (
                Message.objects.of(row.pk)
                .counted()
                .filter(seq__gt=participant.last_read_seq)
                .exclude(sender_user_id=participant.user_id)
                .count()
            )
        yield participant, {"unread_count": unread, "activity_at": row.activity_at, "is_pinned": row.is_pinned}
