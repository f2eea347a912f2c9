"""Uploads against the server's own processes: large files, many at once, connections and processes that die."""

import hashlib
import io
import os
import signal
import socket
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from django.conf import settings

from chatplatform.tests.samples import PNG
from chatplatform.tests.workspace import AGENT, CUSTOMER, path_of
from conftest import LiveServer
from messaging.models import Attachment, Upload
from messaging.tests.test_concurrency import at_once

LARGEST = 104_857_600


class Robot:
    def __init__(self, url: str, secret: str) -> None:
        self.url, self.headers = url, {"Authorization": f"Bearer {secret}"}
        self.made = self.post("/v1/conversations", {"participants": [CUSTOMER, AGENT], "channel": "x"}).json()

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, headers=self.headers, timeout=60)

    def announce(self, size: int = len(PNG), content_type: str = "image/png") -> Any:
        body = {"filename": "file", "content_type": content_type, "size": size}
        answer = self.post(path_of(self.made, "uploads"), body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, file_id: str) -> requests.Response:
        body = {"type": "file", "file": {"file_id": file_id}, "sender": CUSTOMER}
        return self.post(path_of(self.made, "messages"), body)


@pytest.fixture
def server(transactional_db: None) -> Iterator[LiveServer]:
    server = LiveServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def robot(server: LiveServer, acme: Any) -> Robot:
    return Robot(server.url, acme.api_token.secret)


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def eventually(holds: Any) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Memory:
    """How much more memory the server's processes take at most than when the block began."""

    def __init__(self, server: LiveServer) -> None:
        assert server.process is not None
        root = psutil.Process(server.process.pid)
        self._processes = [root, *root.children(recursive=True)]
        self.growth = 0
        self._over = threading.Event()

    def _now(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)

    def __enter__(self) -> "Memory":
        self._before = self._now()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.growth = max(self.growth, self._now() - self._before)

    def __exit__(self, *args: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def largest(tmp_path: Path) -> Path:
    """An archive of exactly as many bytes as are accepted."""
    path, name = tmp_path / "all.zip", "x"
    room = LARGEST - (30 + 46 + 22 + 2 * len(name))
    block = os.urandom(1024 * 1024)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, (block * 100)[:room])
    assert path.stat().st_size == LARGEST
    return path


def zipped(size: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("x", os.urandom(size))
    return stream.getvalue()


@pytest.mark.contract("workspace: Over 104,857,600 bytes", "workspace: 1008 | 413")
def test_the_largest_file_up_and_down_in_flat_memory(server, robot, largest):
    """104,857,600 bytes: the server's memory grows less than 32 MB; one byte more is refused"""
    digest = hashlib.sha256(largest.read_bytes()).hexdigest()
    for _ in range(3):  # what the first calls of a process load is not the file's
        small = robot.announce()
        assert requests.put(small["upload_url"], data=PNG, timeout=60).status_code == 204
    announced = robot.announce(LARGEST, "application/zip")
    with Memory(server) as memory:
        with largest.open("rb") as file:
            answer = requests.put(announced["upload_url"], data=file, timeout=120)
        assert (answer.status_code, answer.text) == (204, "")
        url = robot.send(announced["file_id"]).json()["file"]["url"]
        got, size = hashlib.sha256(), 0
        with requests.get(url, stream=True, timeout=120) as down:
            for chunk in down.iter_content(1024 * 1024):
                got.update(chunk)
                size += len(chunk)
        assert (size, got.hexdigest()) == (LARGEST, digest)
    assert memory.growth < 32 * 1024 * 1024, memory.growth
    assert Upload.objects.get(state="used").sha256 == digest
    with largest.open("ab") as file:
        file.write(b"x")
    again = robot.announce(LARGEST, "application/zip")
    for body in (lambda f: f, lambda f: iter(lambda: f.read(1024 * 1024), b"")):  # of a known length, and in chunks
        with largest.open("rb") as file:
            answer = requests.put(again["upload_url"], data=body(file), timeout=120)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "1008")


def test_a_body_without_a_length(robot):
    """counted as it comes"""
    pieces = [PNG[:20], PNG[20:50], PNG[50:]]
    assert requests.put(robot.announce()["upload_url"], data=iter(pieces), timeout=60).status_code == 204
    for wrong, status in ([*pieces, b"x"], 413), (pieces[:2], 422):
        assert requests.put(robot.announce()["upload_url"], data=iter(wrong), timeout=60).status_code == status


@pytest.mark.contract("workspace: PUT upload_url with the bytes")
def test_of_many_at_one_address_one_is_taken(robot):
    before = len(files())
    url = robot.announce()["upload_url"]
    answers = at_once(lambda number: requests.put(url, data=PNG, timeout=60), 12)
    told = Counter(
        answer.status_code if answer.status_code == 204 else answer.json()["error"]["code"] for answer in answers
    )
    assert (told[204], told["1002"] + told["1005"], len(answers)) == (1, 11, 12)  # 1005: no place among the transfers
    assert (Upload.objects.get().state, len(files()) - before) == ("ready", 1)


def test_of_many_messages_one_gets_the_file(robot):
    announced = robot.announce()
    assert requests.put(announced["upload_url"], data=PNG, timeout=60).status_code == 204
    answers = at_once(lambda number: robot.send(announced["file_id"]), 12)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 11}
    assert (Attachment.objects.count(), Upload.objects.get().state) == (1, "used")


def begin_to_put(url: str, size: int, sent: bytes) -> socket.socket:
    """A client that has sent part of a body."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
    head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {size}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    return connection


def begin_to_get(url: str) -> socket.socket:
    """A client that asks for a file, and does not read it."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
    connection.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return connection


@pytest.fixture
def one_process(transactional_db: None) -> Iterator[LiveServer]:
    server = LiveServer(WEB_WORKERS="1", WEB_THREADS="4")
    server.start()
    yield server
    server.stop()


def assert_full(answer: requests.Response) -> None:
    """No place among the transfers, and it is told when to come again."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "1005")
    assert answer.headers["Retry-After"] == "5"


def assert_calls_go_on(robot: Robot) -> None:
    assert requests.get(f"{robot.url}/healthz", timeout=5).status_code == 200
    assert robot.post(path_of(robot.made, "messages"), {"type": "text", "text": {"body": "x"}, "sender": CUSTOMER}).ok


@pytest.mark.contract("workspace: 1005 | 429")
def test_uploads_that_stall_leave_threads_for_calls(one_process, acme):
    """half of the threads at most; places are free again when a client hangs up"""
    robot = Robot(one_process.url, acme.api_token.secret)
    before = len(files())
    announced = [robot.announce(1_000_000, "application/zip") for _ in range(8)]
    stalled = [begin_to_put(one["upload_url"], 1_000_000, b"PK\x03\x04") for one in announced[:2]]
    eventually(lambda: len(files()) == before + 2)
    stalled += [begin_to_put(one["upload_url"], 1_000_000, b"PK\x03\x04") for one in announced[2:]]
    waiting = robot.announce()["upload_url"]
    assert_full(requests.put(waiting, data=PNG, timeout=5))
    assert requests.put(f"{waiting}0", data=PNG, timeout=5).status_code == 403
    assert_calls_go_on(robot)
    for connection in stalled:
        connection.close()
    eventually(lambda: len(files()) == before)
    for _ in range(4):  # none of the places is lost, none is given back twice
        assert requests.put(robot.announce()["upload_url"], data=PNG, timeout=5).status_code == 204


@pytest.mark.contract("workspace: 1005 | 429")
def test_downloads_that_stall_leave_threads_for_calls(one_process, acme):
    robot = Robot(one_process.url, acme.api_token.secret)
    data, small = zipped(20_000_000), robot.announce()
    large = robot.announce(len(data), "application/zip")
    assert requests.put(large["upload_url"], data=data, timeout=60).status_code == 204
    assert requests.put(small["upload_url"], data=PNG, timeout=60).status_code == 204
    url, picture = (robot.send(one["file_id"]).json()["file"]["url"] for one in (large, small))
    for _ in range(2):
        stalled = [begin_to_get(url) for _ in range(2)]
        for connection in stalled:  # each has its place: it was answered, and nobody reads on
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert_full(requests.get(url, timeout=5))
        assert requests.get(f"{url}0", timeout=5).status_code == 403
        assert requests.head(url, timeout=5).status_code == 200
        assert requests.get(picture, timeout=5).content == PNG  # so small that it holds no thread
        stalled += [begin_to_get(picture) for _ in range(8)]
        assert_calls_go_on(robot)
        for connection in stalled:
            connection.close()
        eventually(lambda: requests.get(url, timeout=30).content == data)


def test_a_client_that_hangs_up_leaves_nothing(robot):
    before = len(files())
    announced = robot.announce(4_000_000, "application/zip")
    connection = begin_to_put(announced["upload_url"], 4_000_000, b"PK\x03\x04" + b"x" * 1_000_000)
    eventually(lambda: len(files()) == before + 1)
    connection.close()
    eventually(lambda: len(files()) == before)
    assert Upload.objects.get().state == "pending"
    assert robot.send(announced["file_id"]).status_code == 422


def test_a_server_that_is_killed_leaves_nothing_usable(server, robot):
    """half a file, without a row that names it; the next sweep removes it"""
    from messaging.sweep import IN_FLIGHT, sweep_uploads

    before = set(files())
    announced = robot.announce(4_000_000, "application/zip")
    connection = begin_to_put(announced["upload_url"], 4_000_000, b"PK\x03\x04" + b"x" * 1_000_000)
    eventually(lambda: len(files()) == len(before) + 1)
    root = psutil.Process(server.process.pid)
    for process in [*root.children(recursive=True), root]:
        process.send_signal(signal.SIGKILL)
    server.process.wait(timeout=30)
    connection.close()
    [half] = set(files()) - before
    assert half.parent.name == "incoming"
    server.start()
    assert robot.send(announced["file_id"]).status_code == 422
    assert list(sweep_uploads()) == []  # it could still be in flight
    assert half.exists()
    old = time.time() - IN_FLIGHT.total_seconds() - 1
    os.utime(half, (old, old))
    assert list(sweep_uploads()) == [("orphan", [f"incoming/{half.name}"])]
    assert not half.exists()
    whole = robot.announce()
    assert requests.put(whole["upload_url"], data=PNG, timeout=60).status_code == 204
