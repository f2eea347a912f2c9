"""A job's moment is enqueued once, however many workers look."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django_tasks_db.models import DBTaskResult

from chatplatform.worker import beat
from chatplatform.worker.beat import Beat, Job
from chatplatform.worker.jobs import JOBS
from chatplatform.worker.models import ScheduledRun

from . import samples

NIGHT = Job("nightly", "30 3 * * *", samples.stopped)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def enqueued() -> int:
    return DBTaskResult.objects.count()


@pytest.mark.django_db
def test_each_moment_once_and_of_those_that_were_missed_the_last() -> None:
    assert [Beat([NIGHT]).step(NOON) for _ in range(2)] == [[], []]  # just installed
    assert Beat([NIGHT]).step(NOON + DAY - timedelta(hours=9)) == []
    third = datetime(2027, 3, 2, 3, 30, 0, 1, tzinfo=UTC)
    one, two = Beat([NIGHT]), Beat([NIGHT])
    assert (one.step(third), two.step(third), one.step(third + timedelta(hours=20))) == (["nightly"], [], [])
    assert (Beat([NIGHT]).step(NOON + 9 * DAY), Beat([NIGHT]).step(NOON + 9 * DAY)) == (["nightly"], [])
    assert Beat([NIGHT]).step(NOON + 3 * DAY) == []  # a clock that was set back
    due = list(ScheduledRun.objects.order_by("due_at").values_list("due_at", flat=True))
    assert due == [datetime(2027, 3, day, 3, 30, tzinfo=UTC) for day in (1, 2, 10)]
    assert enqueued() == 2


@pytest.mark.django_db
def test_the_moment_and_its_task_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise RuntimeError

    Beat([NIGHT]).step(NOON)
    monkeypatch.setattr(type(samples.stopped), "enqueue", lost)
    with pytest.raises(RuntimeError):
        Beat([NIGHT]).step(NOON + DAY)
    monkeypatch.undo()
    assert ScheduledRun.objects.count() == 1
    assert Beat([NIGHT]).step(NOON + DAY) == ["nightly"]


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_once_enqueue_it_once() -> None:
    ScheduledRun.objects.create(job=NIGHT.name, due_at=NOON - DAY)
    start, won = threading.Barrier(4), []

    def look() -> None:
        try:
            for day in range(5):
                start.wait(10)
                won.append(beat.enqueue(NIGHT, NOON + day * DAY))
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (won.count(True), won.count(False), enqueued()) == (5, 15, 5)


def test_the_schedule_names_each_job_once_and_is_in_utc() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert {job.last(NOON).tzinfo for job in JOBS} == {UTC}
