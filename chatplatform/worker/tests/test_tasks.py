"""One task: how it ends, when it is tried again, who takes it over."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from chatplatform.worker import lease
from chatplatform.worker.backend import retries_of
from chatplatform.worker.executor import Executor
from chatplatform.worker.jobs import JOBS
from chatplatform.worker.models import WorkerProcess

from . import samples

pytestmark = pytest.mark.django_db
TRACE = "ValueError: no such parcel"


def only() -> DBTaskResult:
    return DBTaskResult.objects.get()


def states() -> list[str]:
    return list(DBTaskResult.objects.values_list("status", flat=True))


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


def test_a_task_is_done_once_and_a_failing_one_as_often_as_it_says(notes: Path) -> None:
    executor = Executor("one")
    samples.note.enqueue(str(notes), line="a parcel")
    assert (executor.step(), executor.step()) == (True, False)
    assert (lines(notes), states(), only().return_value) == (["a parcel"], ["SUCCESSFUL"], "a parcel")
    DBTaskResult.objects.all().delete()

    samples.fail.enqueue(str(notes))
    executor.step()
    assert (only().status, TRACE in only().traceback) == ("READY", True)
    assert (executor.step(), executor.step(), executor.step()) == (True, True, False)
    assert lines(notes)[1:] == ["tried"] * 3
    assert (only().status, only().worker_ids) == ("FAILED", ["one"] * 3)
    assert only().exception_class_path == "builtins.ValueError"
    assert executor.running == set()


def test_the_next_attempt_waits_ever_longer(notes: Path) -> None:
    task = retries_of(JOBS[0].task)
    assert [task.wait_after(attempt).total_seconds() for attempt in (1, 2, 3, 400)] == [600, 2400, 3600, 3600]
    row = samples.fail.enqueue(str(notes))
    DBTaskResult.objects.update(task_path=task.module_path, args_kwargs={"args": ["one too many"], "kwargs": {}})
    began = timezone.now()
    assert (Executor("one").step(), Executor("one").step()) == (True, False)
    wait = (only().run_after - began).total_seconds()
    assert str(only().pk) == row.id
    assert 480 <= wait <= 725


def test_what_is_no_task_any_more_or_answers_nonsense_fails(notes: Path) -> None:
    samples.note.enqueue(str(notes), "x")
    DBTaskResult.objects.update(task_path="chatplatform.worker.tests.samples.gone")
    Executor("one").step()
    assert (states(), lines(notes)) == (["FAILED"], [])
    DBTaskResult.objects.update(task_path=samples.unprintable.module_path, status="READY", worker_ids=["one"] * 2)
    DBTaskResult.objects.update(args_kwargs={"args": [], "kwargs": {}})
    Executor("one").step()
    assert (states(), only().exception_class_path) == (["FAILED"], "builtins.TypeError")


def test_one_that_was_stopped_is_begun_again_and_that_was_no_attempt() -> None:
    samples.stopped.enqueue()
    executor = Executor("one")
    assert [executor.step() for _ in range(5)] == [True] * 5
    assert (only().status, only().worker_ids) == ("READY", [])


def silent_for(worker: str, seconds: float) -> None:
    lease.beat(worker)
    WorkerProcess.objects.filter(pk=worker).update(seen_at=timezone.now() - timedelta(seconds=seconds))


def test_what_a_silent_worker_had_begun_is_another_ones(notes: Path) -> None:
    samples.note.enqueue(str(notes), "x")
    one, two = Executor("one"), Executor("two")
    row = one._claim()
    assert row is not None
    silent_for("one", settings.WORKER_LEASE - 5)
    lease.beat("two")
    assert lease.take_over(two) == 0
    silent_for("one", settings.WORKER_LEASE + 1)
    assert (lease.take_over(two), states()) == (1, ["READY"])
    theirs = two._claim()
    assert theirs is not None
    one._run(row)  # it was not dead: what it did is done, and not said
    assert (states(), only().worker_ids) == (["RUNNING"], ["one", "two"])
    two._run(theirs)
    assert (states(), lines(notes)) == (["SUCCESSFUL"], ["x", "x"])


def test_a_task_that_kills_its_workers_is_given_up(notes: Path) -> None:
    samples.note.enqueue(str(notes), "x")
    for turn in range(3):
        assert Executor(f"dead {turn}")._claim() is not None
        assert lease.take_over(Executor("alive")) == 1
    assert (states(), only().traceback) == (["FAILED"], "its worker is gone")


def test_a_claim_whose_answer_was_lost_is_put_back(notes: Path) -> None:
    samples.note.enqueue(str(notes), "x")
    executor = Executor("one")
    lease.beat("one")
    row = executor._claim()
    assert row is not None
    long_ago = timezone.now() - timedelta(seconds=settings.WORKER_LEASE + 1)
    DBTaskResult.objects.update(started_at=long_ago)
    assert lease.take_over(executor) == 0  # it runs
    executor.running.clear()
    assert (lease.take_over(executor), states()) == (1, ["READY"])


def test_every_job_of_the_schedule_runs(acme: object) -> None:
    for job in JOBS:
        job.task.enqueue()
    executor = Executor("one")
    assert [executor.step() for _ in JOBS] == [True] * len(JOBS)
    assert states() == ["SUCCESSFUL"] * len(JOBS)


def test_what_ended_long_ago_goes(notes: Path) -> None:
    samples.note.enqueue(str(notes), "x")
    executor = Executor("one")
    executor.step()
    silent_for("dead", 90_000)
    JOBS[-1].task.enqueue()
    executor.step()
    assert (DBTaskResult.objects.count(), WorkerProcess.objects.count()) == (2, 0)
    DBTaskResult.objects.update(finished_at=timezone.now() - timedelta(days=31))
    JOBS[-1].task.enqueue()
    executor.step()
    assert only().return_value == {"tasks": 2, "moments": 0, "workers": 0}
