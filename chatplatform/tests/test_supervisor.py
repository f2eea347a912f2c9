"""What runs the server and the worker as one, with shell scripts in their places."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.conf import settings

from chatplatform.server import supervisor
from conftest import LiveServer

LIVES = 'echo $$ >> {0}; trap "echo ended >> {0}; exit {1}" TERM; while :; do sleep 0.02; done'
DIES = "echo $$ >> {0}; exit 3"


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    started = []

    def start(server: str, worker: str) -> subprocess.Popen[str]:
        commands = [
            json.dumps(["sh", "-c", script.format(tmp_path / name, 0)])
            for name, script in (("server", server), ("worker", worker))
        ]
        command = [sys.executable, "-m", supervisor.__name__, *commands]
        one = subprocess.Popen(command, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True)
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
        one.communicate(timeout=10)


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def wait_until(true: Callable[[], object], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both(supervise: Any, tmp_path: Path, number: int) -> None:
    one = supervise(LIVES, LIVES)
    wait_until(lambda: lines(tmp_path / "server") and lines(tmp_path / "worker"))
    one.send_signal(number)
    assert one.wait(10) == 0
    assert [lines(tmp_path / name)[1:] for name in ("server", "worker")] == [["ended"]] * 2


def test_the_servers_end_is_the_end(supervise: Any, tmp_path: Path) -> None:
    one = supervise("while [ ! -s {0}.go ]; do sleep 0.02; done; exit 7", LIVES)
    wait_until(lambda: lines(tmp_path / "worker"))
    (tmp_path / "server.go").write_text("now")
    assert one.wait(10) == 7
    assert lines(tmp_path / "worker")[1:] == ["ended"]
    killed = supervise("kill -9 $$", LIVES)
    assert killed.wait(10) == 128 + 9


def test_a_worker_that_dies_is_started_again(supervise: Any, tmp_path: Path) -> None:
    one = supervise(LIVES, DIES)
    wait_until(lambda: len(lines(tmp_path / "worker")) == 2)
    one.terminate()
    assert one.wait(10) == 0
    assert "the worker died (3); another begins in 1 s" in one.stderr.read()


def test_none_is_left_when_it_is_killed(supervise: Any, tmp_path: Path) -> None:
    one = supervise(LIVES, LIVES)
    wait_until(lambda: lines(tmp_path / "server") and lines(tmp_path / "worker"))
    one.kill()
    wait_until(lambda: [lines(tmp_path / name)[1:] for name in ("server", "worker")] == [["ended"]] * 2)


@pytest.fixture
def both(transactional_db: None) -> Iterator[LiveServer]:
    """A server and its worker, which begins after it."""
    server = LiveServer(WORKER="1")
    server.start()
    assert server.process is not None
    try:
        parent = psutil.Process(server.process.pid)
        wait_until(lambda: len(parent.children()) == 2)
        yield server
    finally:
        server.stop()  # where the test failed: no worker may take the next test's tasks


@pytest.mark.long
@pytest.mark.parametrize("victim", ["the supervisor", "the server"])
def test_no_process_is_left_behind(both: LiveServer, victim: str) -> None:
    assert both.process is not None
    parent = psutil.Process(both.process.pid)
    children = parent.children()
    assert sorted("granian" in child.cmdline() for child in children) == [False, True]
    everything = parent.children(recursive=True)
    if victim == "the supervisor":
        parent.kill()
        both.process.wait(10)
    else:
        next(child for child in children if "granian" in child.cmdline()).kill()
        assert both.process.wait(30) == 128 + 9
    assert psutil.wait_procs(everything, timeout=20)[1] == []
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{both.url}/healthz", timeout=5)
