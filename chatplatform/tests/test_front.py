"""Streams of events on the one port: they hold no thread, end with their client, and hold up no stop."""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
import requests

from conftest import LiveServer

ASK = b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n"
IDLE = 1000


@pytest.fixture
def server(transactional_db: None) -> Iterator[LiveServer]:
    """One process with two threads."""
    server = LiveServer(WEB_WORKERS="1", WEB_THREADS="2", DJANGO_SETTINGS_MODULE="chatplatform.tests.endless_settings")
    server.start()
    yield server
    server.stop()


def listen(server: LiveServer, count: int) -> list[socket.socket]:
    """Subscribers that have been told what there is."""
    lines = []
    for _ in range(count):
        line = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        line.sendall(ASK)
        lines.append(line)
    for line in lines:
        told = b""
        while b"data: begun\n\n" not in told:
            told += line.recv(4096)
        assert told.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
    return lines


def is_open(server: LiveServer) -> int:
    count: int = requests.get(f"{server.url}/endless/open", timeout=10).json()["open"]
    return count


def wait_until(true: Callable[[], object], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_streams_hold_no_thread_and_end_with_their_client_or_the_server(server: LiveServer) -> None:
    lines = listen(server, 30)
    assert is_open(server) == 30
    assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
    for line in lines[:20]:
        line.close()
    wait_until(lambda: is_open(server) == 10)
    assert server.process is not None
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    for line in lines[20:]:
        told = b""
        while received := line.recv(4096):
            told += received
        assert told == b"0\r\n\r\n"  # whole, and over
        line.close()
    assert server.process.wait(20) == 0
    assert time.monotonic() - began < 10


def web_process(server: LiveServer) -> psutil.Process:
    assert server.process is not None
    children = psutil.Process(server.process.pid).children()
    [process] = [child for child in children if "tracker" not in " ".join(child.cmdline())]
    return process


@pytest.mark.long
def test_a_thousand_idle_streams_cost_little(server: LiveServer) -> None:
    """1,000 idle streams on one server process, under 50 KB each"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    process = web_process(server)
    for line in listen(server, 20):  # what is loaded at the first ones
        line.close()
    wait_until(lambda: is_open(server) == 0)
    before = process.memory_info().rss
    lines = listen(server, IDLE)
    assert is_open(server) == IDLE
    cost = (process.memory_info().rss - before) / IDLE
    os.write(2, f"{cost / 1024:.1f} KiB a stream\n".encode())
    assert cost < 50_000
    for line in lines:
        line.close()
    wait_until(lambda: is_open(server) == 0)
