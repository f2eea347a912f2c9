"""contracts/assistant.md: "a session starts with a conversation's first message after 30 minutes of
silence and ends with its last; kept as messages arrive"."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from conversations.models import SessionHistory

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.contract("assistant: Session history: a session starts")
@pytest.mark.parametrize(
    ("pauses", "sessions"),
    [
        ([0], [(0, 0, 1)]),
        ([0, 5, 29], [(0, 34, 3)]),
        ([0, 29.99], [(0, 29.99, 2)]),
        ([0, 30], [(0, 0, 1), (30, 30, 1)]),
        ([0, 10, 45, 1], [(0, 10, 2), (55, 56, 2)]),
    ],
)
def test_thirty_minutes_of_silence_end_a_session(acme, api, pauses, sessions):
    """`pauses` are minutes before each message; a session is (first, last, how many), minutes from noon."""
    with time_machine.travel(NOON, tick=False) as clock:
        maya = api(acme.users[0].user)
        number = maya.post("/chat/conversations", {"title": "Grinder"}).json()["data"]["conversation_id"]
        for pause in pauses:
            clock.shift(timedelta(minutes=pause))
            answer = maya.post(f"/chat/conversations/{number}/messages", {"content": "It grinds too coarse."})
            assert answer.status_code == 200
    rows = SessionHistory.objects.filter(conversation_id=number).order_by("session_start")
    assert [(row.session_start, row.session_end, row.messages_count, row.duration_minutes) for row in rows] == [
        (NOON + timedelta(minutes=first), NOON + timedelta(minutes=last), count, int(last - first))
        for first, last, count in sessions
    ]
