"""Session history against plain Python over the messages: any order of arrival, deletions, quarantine, imports."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clients.actions import change_settings
from clients.callers import system_caller
from conversations.actions import Person, create_conversation
from conversations.models import Conversation, SessionHistory
from messaging import spam
from messaging.actions import add_note, delete_message, release_message, send_message
from messaging.importing import Import
from messaging.integrity import verify
from messaging.models import Message
from messaging.senders import as_agent, as_contact

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: Minutes; about the border a second and a microsecond less and more too.
PAUSES = [0, 1, 12, 29, 30 - 1 / 60, 30 - 1e-6 / 60, 30, 30 + 1 / 60, 31, 300]


def oracle(conversation_id: int) -> list[tuple[datetime, datetime, int, int]]:
    """(start, end, messages, whole minutes)"""
    rows = Message.objects.filter(conversation=conversation_id, visibility="public", deleted_at=None)
    stretches: list[list[datetime]] = []
    for at in sorted(rows.values_list("created_at", flat=True)):
        if stretches and at < stretches[-1][-1] + timedelta(minutes=30):
            stretches[-1].append(at)
        else:
            stretches.append([at])
    return [(one[0], one[-1], len(one), int((one[-1] - one[0]).total_seconds()) // 60) for one in stretches]


def kept(conversation_id: int) -> list[tuple[datetime, datetime, int, int]]:
    rows = SessionHistory.objects.filter(conversation=conversation_id).order_by("session_start")
    return list(rows.values_list("session_start", "session_end", "messages_count", "duration_minutes"))


def assert_exact() -> None:
    for row in Conversation.objects.all():
        spans = oracle(row.pk)
        assert kept(row.pk) == spans
        assert row.session_started_at == (spans[-1][0] if spans else None)
    assert [difference for _, found in verify() for difference in found] == []


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def thread(acme: Any, clock: Any) -> Any:
    wanted = {"enabled": True, "actions": ["quarantine"], "blacklist_keywords": ["casino"]}
    change_settings(acme.client.pk, antispam=spam.checked(wanted))
    people = [Person(contact_id=acme.contacts[0].pk), Person(agent_id=acme.agents[0].pk)]
    by = system_caller(acme.client)
    return create_conversation(client_id=acme.client.pk, by=by, channel="website", people=people)


def bring(tenant: Any, number: int, minutes: list[int]) -> None:
    """A dialogue whose lines stand in any order of time."""
    said = [
        {"sender": side, "text": "…", "at": (START - timedelta(days=9) + timedelta(minutes=at)).isoformat()}
        for at, side in zip(minutes, ["customer", "agent", "system", "agent"] * 10, strict=False)
    ]
    line = {"external_id": f"s-{number}", "channel": "fax", "messages": said}
    run = Import(tenant.client, lambda *bad: pytest.fail(str(bad)))
    run.add(1, json.dumps(line).encode())
    run.flush()
    assert run.stored.conversations == 1


_live = st.tuples(
    st.sampled_from(["say", "say", "say", "answer", "hold", "note", "unsay", "unsay", "release"]),
    st.sampled_from(PAUSES), st.integers(0, 50),
)  # fmt: skip
_minutes = st.lists(st.integers(0, 130), min_size=1, max_size=12)


@pytest.mark.contract("assistant: Session history: a session starts")
@given(steps=st.lists(_live, max_size=25), imports=st.lists(_minutes, max_size=2))
@example(steps=[("say", 0, 0), ("say", 20, 0), ("say", 20, 0), ("unsay", 0, 1), ("say", 29, 0)], imports=[[60, 0, 30]])
@example(steps=[("say", 0, 0), ("say", 40, 0), ("unsay", 0, 1), ("say", 1, 0), ("unsay", 0, 0)], imports=[[29, 0, 58]])
@example(steps=[("hold", 0, 0), ("say", 45, 0), ("release", 29, 0), ("unsay", 0, 2), ("unsay", 0, 1)], imports=[])
@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_any_order(acme: Any, thread: Conversation, clock: Any, steps: Any, imports: list[list[int]]) -> None:
    clock.move_to(START)
    with transaction.atomic():
        for number, minutes in enumerate(imports):
            bring(acme, number, minutes)
        for what, pause, which in steps:
            clock.shift(timedelta(minutes=pause))
            act(acme, thread, what, which)
        assert_exact()
        transaction.set_rollback(True)


def act(acme: Any, thread: Conversation, what: str, which: int) -> None:
    by, contact, agent = system_caller(acme.client), as_contact(acme.contacts[0]), as_agent(acme.agents[0])
    rows = list(Message.objects.filter(deleted_at=None).order_by("pk"))
    if what in ("say", "hold", "answer"):
        text = "The casino!" if what == "hold" else "Good day"
        send_message(conversation=thread, sender=agent if what == "answer" else contact, by=by, text=text)
    elif what == "note":
        add_note(conversation=thread, sender=agent, text="Staff only")
    elif what == "unsay" and rows:
        message = rows[which % len(rows)]
        delete_message(conversation=message.conversation, message_id=message.pk, by=by)
    elif what == "release":
        held = Message.objects.of(thread.pk).held().order_by("pk").first()
        if held is not None:
            release_message(conversation=thread, message_id=held.pk, by=by)
