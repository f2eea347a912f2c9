from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class WorkerQuerySet(models.QuerySet["WorkerProcess"]):
    def alive(self) -> "WorkerQuerySet":
        """Those that were heard of within the lease, by the database's clock: machines may differ."""
        return self.filter(seen_at__gte=Now() - timedelta(seconds=settings.WORKER_LEASE))


class WorkerProcess(models.Model):
    """A worker that runs, or one that was killed: what it had begun is taken over when its lease is over."""

    id = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.id


class ScheduledRun(models.Model):
    """That a job's moment had its task: written with it, by whichever worker is first."""

    job = models.CharField(max_length=50)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "due_at"], name="scheduled_run_once")]

    def __str__(self) -> str:
        return f"{self.job} {self.due_at:%Y-%m-%d %H:%M}"
