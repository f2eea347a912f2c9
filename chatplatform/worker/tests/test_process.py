"""`manage.py worker` as processes: together, killed, ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django_tasks_db.models import DBTaskResult

from chatplatform.worker import process, stopping
from chatplatform.worker.models import WorkerProcess
from conftest import database_environment

from . import samples
from .test_tasks import lines

ROOT = Path(django_settings.BASE_DIR)


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        with open(tmp_path / f"worker{len(started)}.log", "w") as log:
            one = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "worker"], cwd=ROOT, stdout=log, stderr=log,
                env={**os.environ, **database_environment(), "WORKER_LEASE": "2", "LOG_LEVEL": "INFO", **environment},
            )  # fmt: skip
        started.append(one)
        return one

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.wait(10)


def wait_until(true: Callable[[], object], within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def succeeded() -> int:
    return DBTaskResult.objects.successful().count()


@pytest.mark.long
def test_two_workers_do_all_once_and_one_takes_over_from_one_that_was_killed(
    worker: Any, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.WORKER_LEASE = 2
    notes, held, last = tmp_path / "notes", tmp_path / "held", tmp_path / "last"
    one = worker(WORKER_THREADS="1")
    samples.hold.enqueue(str(held))
    wait_until(lambda: lines(held) == ["begun"])
    for number in range(40):
        samples.note.enqueue(str(notes), f"{number}")
    two = worker()
    wait_until(lambda: succeeded() == 40)
    assert Counter(lines(notes)) == Counter(str(number) for number in range(40))
    assert WorkerProcess.objects.alive().count() == 2
    call_command("worker", "--status")
    assert "2 workers; tasks: 0 due, 1 running, 0 failed" in capsys.readouterr().out

    one.kill()
    wait_until(lambda: lines(held) == ["begun", "begun"], within=10)
    samples.hold.enqueue(str(last))
    wait_until(lambda: lines(last) == ["begun"])
    two.send_signal(signal.SIGTERM)
    samples.note.enqueue(str(notes), "late")
    Path(f"{held}.go").touch()
    Path(f"{last}.go").touch()
    assert two.wait(20) == 0
    assert (lines(held), lines(last)) == (["begun", "begun", "ended"], ["begun", "ended"])
    assert (succeeded(), "late" in lines(notes)) == (42, False)
    assert WorkerProcess.objects.count() == 1  # the killed one; the other said goodbye
    assert "Traceback" not in (tmp_path / "worker1.log").read_text()
    wait_until(lambda: not WorkerProcess.objects.alive().exists(), within=5)
    with pytest.raises(CommandError, match="No worker is alive"):
        call_command("worker", "--status")


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a worker's process changes in itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stopping.stop.clear()
    yield
    stopping.stop.clear()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_part_that_dies_ends_the_process(own_process: None, caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    def wait() -> None:
        assert stopping.stop.wait(10)
        ended.append("the other")

    assert process.serve({"the other": wait, "this": lambda: 1 // 0}) == 1
    assert ended == ["the other"]
    assert "this died, and the worker with it" in caplog.text


def test_one_that_does_not_end_in_time_is_left(own_process: None, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(process, "DRAIN", 0.1)
    hung = threading.Event()

    threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM]).start()
    assert process.serve({"hung": lambda: hung.wait(30)}) == 0
    assert "left to the next worker: hung" in caplog.text
    hung.set()
