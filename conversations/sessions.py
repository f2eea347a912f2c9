"""Session history (contract `assistant`): kept as messages arrive, rebuilt where they arrive out of order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import DateTimeField, F

from chatplatform.db.prepared import Param, Update, integer

from .models import Conversation, SessionHistory

SILENCE = timedelta(minutes=30)
_extend = Update(
    lambda: (
        SessionHistory.objects.filter(
            conversation_id=integer("conversation"), session_start=Param("start", DateTimeField())
        ),
        {
            "session_end": Param("end", DateTimeField()),
            "messages_count": F("messages_count") + 1,
            "duration_minutes": integer("minutes"),
        },
    )
)


@dataclass(slots=True)
class Session:
    start: datetime
    end: datetime
    count: int

    @property
    def minutes(self) -> int:
        return minutes_between(self.start, self.end)


def minutes_between(start: datetime, end: datetime) -> int:
    """Whole minutes."""
    return int((end - start).total_seconds() // 60)


def split(times: Iterable[datetime]) -> Iterator[Session]:
    """The sessions of messages sent at these times (any order): 30 minutes of silence end one."""
    session: Session | None = None
    for at in sorted(times):
        if session is None or at - session.end >= SILENCE:
            if session is not None:
                yield session
            session = Session(at, at, 0)
        session.end = at
        session.count += 1
    if session is not None:
        yield session


def extend(conversation: Conversation, at: datetime) -> datetime:
    """Counts a message that is the newest of a locked conversation; answers the start of its session.

    To be called before the conversation's own `last_message_at` moves.
    """
    start, last = conversation.session_started_at, conversation.last_message_at
    if start is not None and last is not None and at - last < SILENCE:
        _extend(conversation=conversation.pk, start=start, end=at, minutes=minutes_between(start, at))
        return start
    SessionHistory.objects.create(conversation_id=conversation.pk, session_start=at, session_end=at, messages_count=1)
    return at


def rows_of(conversation: Conversation, sessions: Iterable[Session]) -> Iterator[SessionHistory]:
    for session in sessions:
        yield SessionHistory(
            conversation_id=conversation.pk,
            session_start=session.start,
            session_end=session.end,
            messages_count=session.count,
            duration_minutes=session.minutes,
        )


def rebuild(conversation: Conversation, sessions: Iterable[Session]) -> None:
    """Makes these the rows of a locked conversation."""
    SessionHistory.objects.filter(conversation_id=conversation.pk).delete()
    SessionHistory.objects.bulk_create(rows_of(conversation, sessions))
