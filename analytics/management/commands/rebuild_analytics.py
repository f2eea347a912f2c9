import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.verifying import rebuild, verify
from chatplatform.db.statistics import refresh_statistics
from clients.models import Client
from messaging.management.clients import client_named

_SHOWN = 20  # differences


class Command(BaseCommand):
    help = (
        "Counts the figures of dashboards anew from the messages, without stopping anything; safe to stop and to run"
        " again. With --verify it only compares, and ends with 1 where something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", metavar="ID", help="one client only: its id or exact name")
        parser.add_argument("--verify", action="store_true", help="compare with the rows, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_named(options["client"]) if options["client"] is not None else None
        started = time.monotonic()
        if options["verify"]:
            self._verify(client, started)
            return
        done = total = 0
        for done, total in rebuild(client):
            self.stdout.write(f"{done:,} of {total:,} conversations")
            self.stdout.flush()
        refresh_statistics()
        self.stdout.write(f"{done:,} conversations counted in {time.monotonic() - started:.1f} s")

    def _verify(self, client: Client | None, started: float) -> None:
        count = 0
        for difference in verify(client):
            count += 1
            if count <= _SHOWN:
                self.stdout.write(str(difference))
        self.stdout.write(f"{count:,} differences; {time.monotonic() - started:.1f} s")
        if count:
            raise CommandError(f"{count} differences: manage.py rebuild_analytics mends them.", returncode=1)
