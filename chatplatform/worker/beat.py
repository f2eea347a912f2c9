"""The schedule: a job's task is enqueued once for each of its moments, however many workers there are."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronsim import CronSim
from django.db import transaction
from django_tasks.base import Task

from .models import ScheduledRun

logger = logging.getLogger("chatplatform.worker")


@dataclass(frozen=True)
class Job:
    name: str
    #: Five fields, in UTC.
    cron: str
    task: Task[Any, Any]

    def last(self, now: datetime) -> datetime:
        """Its newest moment before this one."""
        moment: datetime = next(CronSim(self.cron, now, reverse=True))
        return moment


class Beat:
    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self._done: dict[str, datetime] = {}

    def step(self, now: datetime) -> list[str]:
        """Enqueues what is due; of moments that passed while no worker ran, the last one.

        A job that was never scheduled begins at its next moment: a new installation has nothing to tidy.
        """
        enqueued = []
        for job in self.jobs:
            due = job.last(now)
            if self._done.get(job.name) == due:
                continue
            if enqueue(job, due):
                logger.info("%s is due", job.name)
                enqueued.append(job.name)
            self._done[job.name] = due
        return enqueued


def enqueue(job: Job, due: datetime) -> bool:
    """Whether this call did."""
    runs = ScheduledRun.objects.filter(job=job.name)
    if runs.filter(due_at__gte=due).exists():
        return False
    with transaction.atomic():
        is_first = not runs.exists()
        _, is_new = ScheduledRun.objects.get_or_create(job=job.name, due_at=due)
        if is_first or not is_new:
            return False
        job.task.enqueue()
        return True
