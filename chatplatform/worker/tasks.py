"""The worker's own rows, and Django's, that nobody asks for any more."""

from datetime import timedelta

from django.core.management import call_command
from django.db.models import Max
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from .models import ScheduledRun, WorkerProcess

#: How long one can see what tasks did.
KEPT = timedelta(days=30)


@task(attempts=3)
def tidy() -> dict[str, int]:
    """Ended tasks, moments of jobs, workers that were killed, expired sessions of the admin."""
    before = timezone.now() - KEPT
    newest = ScheduledRun.objects.values("job").annotate(newest=Max("pk")).values("newest")
    old = {
        "tasks": DBTaskResult.objects.finished().filter(finished_at__lt=before),
        "moments": ScheduledRun.objects.filter(due_at__lt=before).exclude(
            pk__in=list(newest.values_list("newest", flat=True))
        ),
        "workers": WorkerProcess.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)),
    }
    call_command("clearsessions")
    return {name: rows.delete()[0] for name, rows in old.items()}
