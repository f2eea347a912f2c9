from datetime import datetime

from django.db import transaction
from django.utils import timezone

from clients.callers import Caller

from .. import events
from ..models import Conversation, Participant
from .locking import Target, lock, save


@transaction.atomic
def mark_read(*, conversation: Target, by: Caller, at: datetime | None = None) -> Conversation:
    """Everything up to now is read by the caller: by staff for all staff, by the owner, by a participant.

    Reading is allowed on a closed conversation. The messages that the caller's figure counted become
    `read`; their senders' side is told by one event. Nothing unread: nothing happens but the time.
    """
    row = lock(conversation)
    now = at or timezone.now()
    is_owner = by.user_id is not None and by.user_id == row.owner_id
    read = 0
    values = {}
    if is_owner:
        read += _set_read(row, row.owner_read_seq, sender_agent__isnull=False)
        values = {"owner_read_seq": row.last_seq, "owner_unread": 0}
    elif by.is_staff or by.token_id is not None or by.is_system:
        read += _set_read(row, row.staff_read_seq, is_customer=True)
        values = {"staff_read_seq": row.last_seq, "staff_unread": 0}
    if values:
        save(row, **values)
    if by.user_id is not None:
        read += Participant.objects.present().filter(conversation=row, user=by.user_id, unread_count__gt=0).count()
        Participant.objects.present().filter(conversation=row, user=by.user_id).update(
            unread_count=0, last_read_at=now, last_read_seq=row.last_seq, updated_at=now
        )
    if read:
        events.record(row, events.Kind.READ, at=at, by=by.name, up_to=row.last_seq)
    return row


def _set_read(row: Conversation, after: int, **sent_by: object) -> int:
    """The messages after that place which were not read and have not failed."""
    return (
        row.messages.counted()  # type: ignore[attr-defined]
        .filter(seq__gt=after, status__in=["sent", "delivered"], **sent_by)
        .update(status="read", updated_at=timezone.now())
    )
