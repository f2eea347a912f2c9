"""A worker says that it lives; what one had begun that does no more is done by another."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.compat import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from .executor import Executor, failed
from .models import WorkerProcess

logger = logging.getLogger("chatplatform.worker")


def beat(worker: str) -> None:
    """Before its first claim, and several times within a lease."""
    if not WorkerProcess.objects.filter(pk=worker).update(seen_at=Now()):
        WorkerProcess.objects.create(pk=worker, started_at=Now(), seen_at=Now())


def leave(worker: str) -> None:
    """What it may have left unfinished need not wait for the lease's end."""
    WorkerProcess.objects.filter(pk=worker).delete()


def take_over(executor: Executor) -> int:
    """Puts back what workers had begun that are gone; how many tasks."""
    running = DBTaskResult.objects.running()
    begun = list(running)
    if not begun:
        return 0
    alive = set(WorkerProcess.objects.alive().values_list("pk", flat=True))
    lost = [row for row in begun if row.worker_ids[-1] not in alive or _is_forgotten(row, executor)]
    for row in lost:
        _release(row)
    return len(lost)


def _is_forgotten(row: DBTaskResult, executor: Executor) -> bool:
    """Claimed by this process, which does not know it: the claim's commit, or its end's, had no answer."""
    old = row.started_at is None or row.started_at < timezone.now() - timedelta(seconds=settings.WORKER_LEASE)
    return row.worker_ids[-1] == executor.worker and old and not executor.runs(row.pk)


def _release(row: DBTaskResult) -> None:
    with transaction.atomic():
        locked = DBTaskResult.objects.select_for_update(skip_locked=True)
        now = locked.filter(pk=row.pk, status=TaskResultStatus.RUNNING).first()
        if now is None or now.worker_ids != row.worker_ids:
            return
        logger.warning("task %s (%s) is taken over from %s", row.task_path, row.pk, row.worker_ids[-1])
        try:
            task = now.task
        except ImportError:
            task = None
        failed(now, task, "", "its worker is gone")
        if now.status == TaskResultStatus.READY:
            now.run_after = timezone.now()
        now.save()
