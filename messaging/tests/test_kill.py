"""What was acknowledged survives `kill -9`; SIGTERM fails no request; a dead worker is replaced."""

import fcntl
import os
import random
import signal
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import requests
from django.db import connection, transaction

from clients.credentials import issue_tokens
from conftest import LiveServer
from conversations.models import Conversation
from messaging.models import Message

from .recount import assert_whole

WRITERS = 8


class Writers:
    """Threads that send without a pause and keep a log of every message that a 2xx acknowledged."""

    def __init__(self, url: str, token: str, conversations: list[int]) -> None:
        self.url, self.token, self.conversations = url, token, conversations
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.broken = 0  # requests without an answer: whether they were stored, nobody can tell
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[number]) for number in range(WRITERS)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        session, turn = requests.Session(), 0
        session.headers["Authorization"] = f"Bearer {self.token}"
        while not self._stop.is_set():
            turn += 1
            text = f"Is order {uuid.uuid4()} on its way?"
            conversation = self.conversations[(number + turn) % len(self.conversations)]
            path = f"{self.url}/chat/conversations/{conversation}/messages"
            try:
                answer = session.post(path, json={"content": text}, timeout=30)
            except requests.RequestException:
                self.broken += 1
                self._stop.wait(0.02)
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                self.acknowledged.append(text)

    def wait_for(self, more: int, within: float = 30) -> None:
        """Until that many further messages are acknowledged."""
        goal, deadline = len(self.acknowledged) + more, time.monotonic() + within
        while len(self.acknowledged) < goal:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {goal} acknowledged: {self.statuses}"
            time.sleep(0.005)


@pytest.fixture
def server(transactional_db: None) -> Iterator[LiveServer]:
    """With two workers on either database, so that processes meet."""
    server = LiveServer(WEB_WORKERS="2")
    server.start()
    yield server
    end(server)


@pytest.fixture
def load(server: LiveServer, acme: Any) -> Writers:
    token = issue_tokens(acme.users[0].user).access
    return Writers(server.url, token, conversations(server, token))


def conversations(server: LiveServer, token: str) -> list[int]:
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{server.url}/chat/conversations"
    made = [requests.post(path, json={"title": f"Order {n}"}, headers=headers, timeout=10).json() for n in range(3)]
    return [body["data"]["conversation_id"] for body in made]


def processes(server: LiveServer) -> list[psutil.Process]:
    """The server's own process and its workers."""
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    return [parent, *parent.children(recursive=True)]


def kill_all(server: LiveServer) -> None:
    """SIGKILL to every process at one moment (none can mourn another)."""
    doomed = processes(server)
    for process in doomed:
        process.suspend()
    for process in doomed:
        process.kill()
    psutil.wait_procs(doomed, timeout=10)
    assert server.process is not None
    server.process.wait(10)


def end(server: LiveServer) -> None:
    if server.process is not None and server.process.poll() is None:
        kill_all(server)


def assert_nothing_lost(load: Writers) -> None:
    stored = Counter(Message.objects.values_list("text", flat=True))
    assert [text for text in load.acknowledged if not stored[text]] == []
    assert [text for text, times in stored.items() if times > 1] == []
    assert len(stored) - len(load.acknowledged) <= load.broken
    assert_whole()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            assert cursor.fetchall() == [("ok",)]


def kill_repeatedly(server: LiveServer, load: Writers, *, kills: int, acknowledged: int) -> None:
    chance = random.Random(20_261_121)
    with load:
        for _ in range(kills):
            load.wait_for(acknowledged // kills + chance.randrange(10))
            kill_all(server)
            server.start()
        load.wait_for(20)
    assert set(load.statuses) == {200}
    assert_nothing_lost(load)


def test_acknowledged_messages_survive_kill_9(server: LiveServer, load: Writers) -> None:
    kill_repeatedly(server, load, kills=3, acknowledged=300)


@pytest.mark.long
def test_acknowledged_messages_survive_fifty_kills(server: LiveServer, load: Writers) -> None:
    kill_repeatedly(server, load, kills=50, acknowledged=20_000)
    assert len(load.acknowledged) >= 20_000


def test_a_killed_worker_is_replaced_and_nothing_is_lost(server: LiveServer, load: Writers) -> None:
    with load:
        load.wait_for(100)
        parent, *workers = processes(server)
        victim = next(worker for worker in workers if is_worker(worker))
        victim.kill()
        wait_until(lambda: len(live_workers(server)) == 2 and victim.pid not in live_workers(server))
        assert parent.is_running()
        load.wait_for(100)
    assert set(load.statuses) == {200}
    assert_nothing_lost(load)


def is_worker(process: psutil.Process) -> bool:
    """Not one of multiprocessing's helpers."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and "tracker" not in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def live_workers(server: LiveServer) -> set[int]:
    return {process.pid for process in processes(server)[1:] if is_worker(process)}


def wait_until(true: Any, within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("receiver", ["parent", "group"])
def test_sigterm_under_load_fails_no_request(
    server: LiveServer, load: Writers, receiver: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """To the parent as a supervisor sends it, to the whole group as a terminal does."""
    everything = processes(server)
    began = 0.0
    with load:
        load.wait_for(100)
        began = time.monotonic()
        for process in everything if receiver == "group" else everything[:1]:
            os.kill(process.pid, signal.SIGTERM)
        gone, alive = psutil.wait_procs(everything, timeout=20)
        assert server.process is not None
        code = server.process.wait(1)
    assert alive == []
    assert time.monotonic() - began < 20
    assert set(load.statuses) == {200}
    assert code == 0
    # Afterwards connections are refused; until then every request that was taken was answered.
    stored = Message.objects.count()
    assert stored == len(load.acknowledged)
    assert_nothing_lost(load)
    assert "Traceback" not in capfd.readouterr().err


def test_sigterm_waits_for_a_request_that_is_being_served(server: LiveServer, load: Writers) -> None:
    """One that waits for a lock which another holds gets it, and its answer, after the SIGTERM."""
    [identifier, *_] = load.conversations
    path = f"{server.url}/chat/conversations/{identifier}/messages"
    answers: list[int] = []

    def send() -> None:
        headers = {"Authorization": f"Bearer {load.token}"}
        answers.append(requests.post(path, json={"content": "Still there?"}, headers=headers, timeout=30).status_code)

    everything = processes(server)
    with transaction.atomic():
        Conversation.objects.lock(identifier)
        thread = threading.Thread(target=send)
        thread.start()
        wait_until(somebody_waits)
        os.kill(everything[0].pid, signal.SIGTERM)
        wait_until(lambda: is_refused(server.port))
        assert answers == []
    thread.join()
    assert answers == [200]
    _, alive = psutil.wait_procs(everything, timeout=20)
    assert alive == []
    assert Message.objects.filter(text="Still there?").count() == 1
    assert_whole()


def test_sigterm_ends_workers_that_are_still_loading(transactional_db: None) -> None:
    """The first of four answers while the others load: none of them may miss the signal."""
    server = LiveServer(WEB_WORKERS="4")
    server.start()
    everything = processes(server)
    try:
        os.kill(everything[0].pid, signal.SIGTERM)
        assert psutil.wait_procs(everything, timeout=15)[1] == []
    finally:
        end(server)


def somebody_waits() -> bool:
    """Whether another process waits for the lock that this one holds."""
    if connection.vendor == "sqlite":
        with open(f"{connection.settings_dict['NAME']}.lock.next", "rb+") as queue:
            try:
                fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def is_refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.long
def test_twenty_restarts_fail_no_request(transactional_db: None, acme: Any) -> None:
    """A rolling restart as a proxy would do it: the next server takes over before the last one ends."""
    first = LiveServer(WEB_WORKERS="1")
    first.start()
    token = issue_tokens(acme.users[0].user).access
    load = Writers(first.url, token, conversations(first, token))
    current = first
    try:
        with load:
            for _ in range(20):
                load.wait_for(50)
                following = LiveServer(WEB_WORKERS="1")
                following.start()
                load.url = following.url
                current.stop()
                assert current.process is not None
                assert current.process.returncode == 0
                current = following
            load.wait_for(50)
    finally:
        end(current)
    assert set(load.statuses) == {200}
    assert_nothing_lost(load)
