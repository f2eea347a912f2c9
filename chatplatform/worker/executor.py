"""Runs django-tasks: claims one, calls it, and says how it ended, or when it is tried again."""

import logging
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from traceback import format_exception
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django_tasks_db.compat import Task, TaskContext, TaskResultStatus, normalize_json
from django_tasks_db.models import DBTaskResult

from .backend import retries_of
from .stopping import Stopped

logger = logging.getLogger("chatplatform.worker")
_JITTER = 0.2


class Executor:
    """One per process, for all its threads."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        #: What its threads run now.
        self.running: set[UUID] = set()
        self._guard = threading.Lock()

    def step(self) -> bool:
        """Runs one task, if one is due. Raises a database's error."""
        row = self._claim()
        if row is None:
            return False
        try:
            self._run(row)
        finally:
            with self._guard:
                self.running.discard(row.pk)
        return True

    def runs(self, task: UUID) -> bool:
        with self._guard:
            return task in self.running

    def _claim(self) -> DBTaskResult | None:
        ready = DBTaskResult.objects.ready().filter(backend_name="default")
        if not ready.exists():  # looking costs no turn to write on SQLite
            return None
        with transaction.atomic():
            row = ready.select_for_update(skip_locked=True).first()
            if row is None:
                return None
            row.claim(self.worker)
            with self._guard:
                self.running.add(row.pk)
        return row

    def _run(self, row: DBTaskResult) -> None:
        task: Task[Any, Any] | None = None
        try:
            task = row.task
            context: list[Any] = [TaskContext(task_result=row.task_result)] if task.takes_context else []
            value = normalize_json(task.call(*context, *row.args_kwargs["args"], **row.args_kwargs["kwargs"]))
        except Stopped:
            end(row, lambda row: _put_back(row, row.worker_ids[:-1], timedelta(0)))
        except (Exception, SystemExit) as error:
            logger.warning("task %s (%s) failed, attempt %d", row.task_path, row.pk, len(row.worker_ids), exc_info=True)
            name, trace = f"{type(error).__module__}.{type(error).__qualname__}", "".join(format_exception(error))
            policy = task
            end(row, lambda row: failed(row, policy, name, trace))
        else:
            end(row, lambda row: _succeeded(row, value))


def end(row: DBTaskResult, change: Callable[[DBTaskResult], None]) -> bool:
    """Changes a task that was claimed, unless another has taken it over meanwhile; whether it did."""
    with transaction.atomic():
        now = DBTaskResult.objects.select_for_update().filter(pk=row.pk, status=TaskResultStatus.RUNNING).first()
        if now is None or now.worker_ids != row.worker_ids:
            logger.warning("task %s (%s) was taken over", row.task_path, row.pk)
            return False
        change(now)
        now.save()
        return True


def failed(row: DBTaskResult, task: Task[Any, Any] | None, name: str, trace: str) -> None:
    """Tried again later, or given up. Without a task (its code is gone) it is given up."""
    row.exception_class_path, row.traceback = name, trace
    attempt = len(row.worker_ids)
    if task is not None and attempt < (policy := retries_of(task)).attempts:
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - it keeps no secret
        _put_back(row, row.worker_ids, policy.wait_after(attempt) * jitter)
    else:
        logger.error("task %s (%s) is given up after %d attempts", row.task_path, row.pk, attempt)
        row.status, row.finished_at = TaskResultStatus.FAILED, timezone.now()


def _put_back(row: DBTaskResult, worker_ids: list[str], wait: timedelta) -> None:
    row.status, row.run_after, row.worker_ids = TaskResultStatus.READY, timezone.now() + wait, worker_ids


def _succeeded(row: DBTaskResult, value: Any) -> None:
    row.status, row.finished_at, row.return_value = TaskResultStatus.SUCCESSFUL, timezone.now(), value
    row.exception_class_path = row.traceback = ""
