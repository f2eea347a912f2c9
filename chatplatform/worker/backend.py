"""django-tasks' database backend, whose tasks say how often they are tried."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django_tasks_db.backend import DatabaseBackend
from django_tasks_db.compat import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedTask(Task):
    """`@task(attempts=3, delay=60)`"""

    #: How often it is tried in all, kills of its worker counted.
    attempts: int = 5
    #: Seconds before the second attempt; each further wait is four times the last, an hour at most.
    delay: float = 15

    def wait_after(self, attempt: int) -> timedelta:
        """Before the next attempt, where this one (1, 2, …) failed."""
        return timedelta(seconds=min(self.delay * 4 ** min(attempt - 1, 10), 3600))


def retries_of(task: Task[Any, Any]) -> RetriedTask:
    """The same task: its declared type is that of all backends."""
    assert isinstance(task, RetriedTask)  # noqa: S101
    return task


class Backend(DatabaseBackend):
    task_class: Any = RetriedTask
