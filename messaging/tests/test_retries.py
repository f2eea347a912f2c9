"""A write with an Idempotency-Key is done once: by any number at once, and whenever the server dies."""

import json
import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection

from clients import idempotency
from clients.credentials import issue_tokens
from clients.models import IdempotencyKey
from conftest import ROOT, LiveServer, database_environment
from conversations.models import Conversation, Event
from messaging.models import Message

from .recount import assert_whole
from .test_kill import Writers, assert_nothing_lost, conversations, kill_all, server  # noqa: F401

AT_ONCE = 50


@pytest.mark.contract("README: Every write honours an optional `Idempotency-Key` header")
def test_fifty_at_once_are_one(server: LiveServer, acme: Any) -> None:  # noqa: F811
    """One execution; the others get its answer or are told that it runs, and a later one gets it too."""
    token = issue_tokens(acme.users[0].user).access
    [conversation, *_] = conversations(server, token)
    user, page = {"Authorization": f"Bearer {token}"}, {"Cookie": f"chat_access={token}"}
    for path, headers, body, kind in [
        (f"/chat/conversations/{conversation}/messages", user, {"content": "Hello?"}, "conversation.message.created"),
        ("/api/chat/create", {}, {"session_name": "ses_acme", "number_client": 34600123456}, "conversation.created"),
        ("/api/conversation", page, {"room": "one", "integrationType": "website"}, "conversation.created"),
    ]:
        before = Event.objects.filter(kind=kind).count()
        barrier = threading.Barrier(AT_ONCE, timeout=30)

        def send(_: int, path=path, headers=headers, body=body, barrier=barrier) -> Any:  # type: ignore[no-untyped-def]
            barrier.wait()
            return post(server, path, {**headers, "Idempotency-Key": path}, body)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(send, range(AT_ONCE)))
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses.keys() <= {200, 409}, statuses
        [answer] = {answer.content for answer in answers if answer.status_code == 200}
        later = send(0, barrier=threading.Barrier(1))
        assert (later.status_code, later.content) == (200, answer)
        assert Event.objects.filter(kind=kind).count() == before + 1
        for refused in (one for one in answers if one.status_code == 409):
            assert "still running" in refused.text
    assert Message.objects.count() == 1
    assert Conversation.objects.count() == 3 + 2
    assert IdempotencyKey.objects.count() == 3
    assert_whole()


def post(server: LiveServer, path: str, headers: dict[str, str], body: Any) -> requests.Response:  # noqa: F811
    return requests.post(f"{server.url}{path}", json=body, headers=headers, timeout=30)


#: One request, by a process that kills itself at the moment named.
DYING = """
import os, signal, sys, json
import django
django.setup()
from django.test import Client

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

from chatplatform.dialects.base import DialectView
from clients import idempotency
if sys.argv[1] == "before the commit":
    idempotency.delete_expired = die
else:
    DialectView.finalize_response = die
path, headers, body = json.loads(sys.argv[2])
Client().generic("POST", path, json.dumps(body), content_type="application/json", headers=headers)
"""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_killed_between_commit_and_answer(transactional_db: None, acme: Any, api: Any, moment: str) -> None:
    """a retry after a kill replays it; one that was killed before has done nothing"""
    maya = api(acme.users[0].user)
    conversation = maya.post("/chat/conversations", {"title": "x"}).json()["data"]["conversation_id"]
    path, body = f"/chat/conversations/{conversation}/messages", {"content": "Hello?"}
    headers = {**maya.headers, "Idempotency-Key": "k1"}
    environment = {**os.environ, **database_environment(), "DJANGO_SETTINGS_MODULE": "chatplatform.settings"}
    done = subprocess.run(
        [sys.executable, "-c", DYING, moment, json.dumps([path, headers, body])],
        cwd=ROOT, env=environment, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    written = 1 if moment == "after the commit" else 0
    if connection.vendor == "sqlite" or written:  # PostgreSQL has yet to notice that its client is gone
        assert (Message.objects.count(), IdempotencyKey.objects.count()) == (written, written)
    answers = []
    for _ in range(200):
        answers.append(maya.post(path, body, Idempotency_Key="k1"))
        if answers[-1].status_code == 200:
            break
        assert answers[-1].status_code == 409
    again = maya.post(path, body, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (200, answers[-1].content)
    [message] = Message.objects.all()
    assert answers[-1].json()["data"]["message_id"] == message.pk
    assert_whole()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connection that could break")
def test_a_connection_that_breaks_before_the_commit(transactional_db: None, acme: Any, api: Any) -> None:
    """503, nothing is written, the key is free; the next one has a good connection of the pool"""
    maya = api(acme.users[0].user)
    conversation = maya.post("/chat/conversations", {"title": "x"}).json()["data"]["conversation_id"]
    path, body = f"/chat/conversations/{conversation}/messages", {"content": "Hello?"}

    def broken(at_most: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idempotency, "delete_expired", broken)
        assert maya.post(path, body, Idempotency_Key="k1").status_code == 503
    answer = maya.post(path, body, Idempotency_Key="k1")
    assert answer.status_code == 200
    assert maya.post(path, body, Idempotency_Key="k1").content == answer.content
    assert Message.objects.count() == 1
    assert_whole()


class Stubborn(Writers):
    """Writers that send each message again, with its key, until they have an answer."""

    def _write(self, number: int) -> None:
        session, turn = requests.Session(), 0
        session.headers["Authorization"] = f"Bearer {self.token}"
        while not self._stop.is_set():
            turn += 1
            text = f"Is order {uuid.uuid4()} on its way?"
            conversation = self.conversations[(number + turn) % len(self.conversations)]
            self._insist(session, f"{self.url}/chat/conversations/{conversation}/messages", text)

    def _insist(self, session: requests.Session, path: str, text: str) -> None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        while True:
            try:
                answer = session.post(path, json={"content": text}, headers=key, timeout=30)
            except requests.RequestException:
                self.broken += 1
            else:
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    assert answer.json()["data"]["content"] == text
                    self.acknowledged.append(text)
                    return
                assert answer.status_code == 409, answer.text  # the killed one's transaction is not yet ended
            self._pause.wait(0.02)

    _pause = threading.Event()


def insist_through_kills(server: LiveServer, acme: Any, *, kills: int, acknowledged: int) -> None:  # noqa: F811
    token = issue_tokens(acme.users[0].user).access
    load = Stubborn(server.url, token, conversations(server, token))
    with load:
        for _ in range(kills):
            load.wait_for(acknowledged // kills)
            kill_all(server)
            server.start()
        load.wait_for(20)
    assert load.broken > 0
    assert set(load.statuses) <= {200, 409}
    stored = Counter(Message.objects.values_list("text", flat=True))
    assert stored == Counter(load.acknowledged)  # each once: none lost, none twice
    assert IdempotencyKey.objects.count() == len(stored)
    load.broken = 0
    assert_nothing_lost(load)


def test_retries_through_kills_write_each_message_once(server: LiveServer, acme: Any) -> None:  # noqa: F811
    insist_through_kills(server, acme, kills=2, acknowledged=60)


@pytest.mark.long
def test_retries_through_thirty_kills_write_each_message_once(server: LiveServer, acme: Any) -> None:  # noqa: F811
    insist_through_kills(server, acme, kills=30, acknowledged=6_000)
