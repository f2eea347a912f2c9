import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from chatplatform.worker.models import WorkerProcess


class Command(BaseCommand):
    help = "Sends webhooks, runs background tasks and their schedule, until SIGTERM, then finishes what it does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", action="store_true", help="which workers live and what waits; 1 if none lives")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["status"]:
            self._status()
            return
        from chatplatform.worker import process

        if "PUBLIC_URL" not in os.environ:
            self.stderr.write(
                f"PUBLIC_URL is not set: addresses in mails and webhooks begin with {settings.PUBLIC_URL}"
            )
        code = process.run()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # a thread that did not end in time must not hold the process

    def _status(self) -> None:
        alive = list(WorkerProcess.objects.alive().order_by("started_at"))
        for worker in alive:
            since = (timezone.now() - worker.seen_at).total_seconds()
            self.stdout.write(f"{worker}  since {worker.started_at:%Y-%m-%d %H:%M:%S}, seen {max(since, 0):.0f} s ago")
        tasks = DBTaskResult.objects
        self.stdout.write(
            f"{len(alive)} workers; tasks: {tasks.ready().count()} due, {tasks.running().count()} running, "
            f"{tasks.failed().count()} failed"
        )
        if not alive:
            raise CommandError("No worker is alive.", returncode=1)
