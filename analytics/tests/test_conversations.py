"""The figures of one conversation, against a thread that was computed by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.conversations import metrics
from clients.callers import system_caller
from clients.models import Agent
from conversations.actions import Person, change_status, create_conversation, remove_participant
from conversations.models import Conversation, Participant
from messaging.actions import add_note, delete_message, send_message
from messaging.counters import recount
from messaging.models import Message
from messaging.senders import Sender, as_agent, as_contact

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
COLUMNS = ("id", "status", "status_changed_at", "created_at", "last_message_at", "message_count", "participant_count")


def minute(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Thread:
    def __init__(self, tenant: Any) -> None:
        self.by = system_caller(tenant.client)
        self.contact = tenant.contacts[0]
        self.human, self.bot = tenant.agents
        self.voice = Agent.objects.get(client=tenant.client, kind="system")
        self.row = create_conversation(
            client_id=tenant.client.pk, by=self.by, channel="whatsapp", at=NOON,
            people=[Person(contact_id=self.contact.pk), Person(agent_id=self.human.pk), Person(agent_id=self.bot.pk)],
        )  # fmt: skip

    def say(self, at: float, sender: Any, text: str = "…") -> Message:
        who: Sender = as_agent(sender) if isinstance(sender, Agent) else as_contact(sender)
        return send_message(conversation=self.row, sender=who, by=self.by, text=text, created_at=minute(at))

    def turn(self, at: float, status: str) -> None:
        change_status(conversation=self.row, status=status, by=self.by, at=minute(at))

    @property
    def metrics(self) -> dict[str, Any]:
        return dict(metrics(Conversation.objects.values(*COLUMNS).get(pk=self.row.pk)))


@pytest.fixture
def thread(acme: Any) -> Thread:
    return Thread(acme)


def test_nothing_said_yet(thread: Thread) -> None:
    assert thread.metrics == {
        "duration": None, "message_count": 0, "response_time_avg": None, "first_response_time": None,
        "participant_count": 3, "resolution_time": None,
    }  # fmt: skip


@pytest.mark.contract("workspace: {duration, message_count, response_time_avg")
def test_a_thread_computed_by_hand(thread: Thread) -> None:
    customer, human, bot = thread.contact, thread.human, thread.bot
    thread.say(1, human, "Welcome")  # answers nobody: nobody has asked
    thread.say(2, customer, "First question")
    thread.say(3, customer, "Hello?")
    thread.say(4.5, thread.voice, "We are closed")  # the client's own voice answers nothing
    add_note(conversation=thread.row, sender=as_agent(human), text="On it", at=minute(5))  # staff alone see it
    thread.say(6, human)  # 4 minutes after the first question
    thread.say(6.5, human)  # was answered already
    thread.say(10, customer, "Second question")
    thread.say(10.75, bot)  # 45 seconds
    thread.say(20, customer, "Third question")
    gone = thread.say(21, human)  # deleted below: answered nothing
    held = thread.say(22, human)  # held below: nobody has seen it
    thread.say(30, human)  # 10 minutes
    thread.say(40, customer, "Fourth question, not answered yet")
    delete_message(conversation=thread.row, message_id=gone.pk, by=thread.by)
    Message.objects.filter(pk=held.pk).update(visibility="held")
    recount(Conversation.objects.get(pk=thread.row.pk))

    expected = {
        "duration": 40 * 60.0, "message_count": 11, "response_time_avg": (240 + 45 + 600) / 3,
        "first_response_time": 240.0, "participant_count": 3, "resolution_time": None,
    }  # fmt: skip
    assert thread.metrics == expected
    thread.turn(60, "resolved")
    assert thread.metrics == {**expected, "resolution_time": 3600.0}
    thread.turn(90, "closed")
    assert thread.metrics == {**expected, "duration": 5400.0, "resolution_time": 5400.0}


def test_what_was_reopened_is_not_resolved(thread: Thread) -> None:
    thread.turn(10, "resolved")
    assert thread.metrics["resolution_time"] == 600.0
    thread.say(20, thread.contact, "One more thing")
    assert (thread.metrics["resolution_time"], thread.metrics["duration"]) == (None, 1200.0)
    thread.turn(30, "resolved")
    assert thread.metrics["resolution_time"] == 1800.0


def test_who_left_is_not_counted(thread: Thread) -> None:
    person = Participant.objects.get(conversation=thread.row, agent=thread.bot)
    remove_participant(conversation=thread.row, participant_id=person.pk, by=thread.by)
    assert thread.metrics["participant_count"] == 2


def test_one_query_and_ten_thousand_messages(thread: Thread) -> None:
    Message.objects.bulk_create(
        (
            Message(
                client_id=thread.row.client_id, conversation=thread.row, seq=n + 1, text="…",
                created_at=NOON + timedelta(seconds=n), is_customer=n % 2 == 0,
                sender_contact=None if n % 2 else thread.contact, sender_agent=thread.human if n % 2 else None,
            )
            for n in range(10_000)
        ),
        batch_size=2000,
    )  # fmt: skip
    values = Conversation.objects.values(*COLUMNS).get(pk=thread.row.pk)
    with CaptureQueriesContext(connection) as captured:
        found = metrics(values)
    assert len([query for query in captured if "SELECT" in query["sql"]]) == 1
    assert (found["response_time_avg"], found["first_response_time"]) == (1.0, 1.0)
