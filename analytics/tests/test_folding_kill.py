"""Folding in, killed by the system before each of its steps and done by several at once, while others write."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.folding import catch_up
from analytics.models import Figure, Mark, Share
from analytics.verifying import _figures, rebuild, verify
from clients.credentials import issue_tokens
from conftest import ROOT, LiveServer, database_environment
from messaging.models import Message
from messaging.tests.test_kill import Writers, conversations, end

pytestmark = pytest.mark.long
#: Folds in a batch; ends itself, as `kill -9` would, before the step that is its argument: a statement, or
#: one side of a commit.
ONCE = """
import os, signal, sys
import django
django.setup()
from django.db import connection
from analytics.folding import fold
left = int(sys.argv[1])
def step():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
def told(execute, *what):
    step()
    return execute(*what)
connection.ensure_connection()
commit = connection.commit
def counted():
    step()
    commit()
    step()
connection.commit = counted
with connection.execute_wrapper(told):
    fold()
"""
#: Leaves the turn to others now and then, as the worker does.
ALWAYS = """
import time
import django
django.setup()
from analytics.folding import catch_up
while True:
    catch_up()
    time.sleep(0.05)
"""


@pytest.fixture
def load(transactional_db: None, acme: Any) -> Iterator[Writers]:
    server = LiveServer(WEB_WORKERS="2")
    server.start()
    token = issue_tokens(acme.users[0].user).access
    yield Writers(server.url, token, conversations(server, token))
    end(server)


def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **database_environment(), "DJANGO_SETTINGS_MODULE": "chatplatform.settings"}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT, env=environment)


def assert_right(client: Any, load: Writers) -> None:
    """As the rows say, and as a count anew makes them."""
    assert set(load.statuses) == {200}
    assert catch_up()
    assert Mark.objects.count() == 0
    assert list(verify()) == []
    folded = figures()
    total = next(row for row in folded if row[1:6] == ("client", 0, 0, "", "0001-01-01"))
    assert total[6:8] == (Message.objects.count(), len(load.conversations))
    list(rebuild(client))
    assert figures() == folded


def figures() -> list[Any]:
    columns = ("client", "scope", "subject", "other", "name", "day", "messages", "conversations", "customer_messages")
    rows = Figure.objects.order_by(*columns[:6]).values_list(*columns, "responses", "response_us")
    return [(*row[:5], str(row[5]), *row[6:]) for row in rows if any(row[6:])]


def test_killed_before_each_step(load: Writers, acme: Any, record_property: Any) -> None:
    killed, code = 0, -signal.SIGKILL
    with load:
        while code == -signal.SIGKILL:
            load.wait_for(5)
            code = start(ONCE, str(killed)).wait(60)
            killed += code == -signal.SIGKILL
            assert list(_figures(acme.client)) == []  # nothing half: the figures are what the shares add
    assert code == 0
    record_property("killed", killed)
    assert killed >= 10
    assert_right(acme.client, load)


def test_several_at_once_while_others_write(load: Writers, acme: Any) -> None:
    folders = [start(ALWAYS) for _ in range(2)]
    try:
        with load:
            for _ in range(10):
                load.wait_for(100, within=60)
                assert list(verify()) == []
        assert [folder.poll() for folder in folders] == [None, None]
    finally:
        for folder in folders:
            folder.kill()
            folder.wait(10)
    assert Share.objects.count() == len(load.conversations)
    assert_right(acme.client, load)
