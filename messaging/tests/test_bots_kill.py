"""Exactly one reply to each message although workers are killed while they answer."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django_tasks_db.models import DBTaskResult

from clients.callers import system_caller
from conftest import ROOT, database_environment
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation
from messaging.actions import send_message
from messaging.models import AgentUsage, Message
from messaging.senders import as_contact
from messaging.tests.llm import agent_at, serving
from messaging.tests.recount import assert_whole

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    def __init__(self) -> None:
        self.environment = {**os.environ, **database_environment(), "WORKER_LEASE": "2", "WORKER_THREADS": "4"}
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def worker() -> Iterator[Worker]:
    one = Worker()
    try:
        yield one
    finally:
        one.kill()


def until(done: Callable[[], Any], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def answered() -> int:
    return Message.objects.exclude(reply_to=None).count()


def write(acme: Any, chats: list[Conversation], count: int) -> None:
    try:
        for number in range(count):
            row = chats[number % len(chats)]
            send_message(conversation=row, sender=as_contact(acme.contacts[0]), text=f"Where is order {number}?")
    finally:
        connection.close()


def run(acme: Any, count: int, conversations: int, kills: int, seconds: float) -> None:
    def behave(handler: Any, asked: Any) -> None:
        handler.say(f"About: {asked.question}", asked)

    by = system_caller(acme.client)
    with serving(behave) as endpoint:
        agent_at(acme.client, endpoint.url, timeout=60)
        chats = [
            actions.create_conversation(
                client_id=acme.client.pk, by=by, channel="whatsapp", use_bot=True, status="new",
                people=[Person(contact_id=acme.contacts[0].pk, role="customer")],
            )
            for _ in range(conversations)
        ]  # fmt: skip
        with worker() as one:
            writer = threading.Thread(target=write, args=(acme, chats, count))
            writer.start()
            for turn in range(kills):
                # While calls are under way, and a little further each time.
                goal, begun = (turn + 1) * count // (kills + 2), len(endpoint.asked)
                until(lambda goal=goal, begun=begun: answered() >= goal and len(endpoint.asked) > begun, seconds)
                one.kill()
                one.start()
            writer.join()
            until(lambda: answered() >= count, seconds)
            until(lambda: DBTaskResult.objects.successful().count() == count, seconds)
        asked = len(endpoint.asked)
    questions = Message.objects.from_customers()
    assert questions.count() == count
    assert answered() == count
    replies = Message.objects.exclude(reply_to=None).values_list("text", "reply_to__text", "conversation_id")
    assert all(text == f"About: {question}" for text, question, _ in replies)
    assert Message.objects.count() == 2 * count
    assert not Conversation.objects.filter(status="escalated").exists()
    used = AgentUsage.objects.get()
    print(f"asked {asked} times for {count} answers, {used.answers} counted")  # noqa: T201
    assert used.answers >= count
    assert_whole()


@pytest.mark.long
def test_500_messages_and_20_worker_kills(acme: Any) -> None:
    run(acme, count=500, conversations=50, kills=20, seconds=170)


@pytest.mark.long
def test_a_kill_while_the_provider_thinks(acme: Any) -> None:
    run(acme, count=12, conversations=3, kills=2, seconds=60)
