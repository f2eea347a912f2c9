import time
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatplatform.db.alone import Busy
from messaging import retention
from messaging.management.clients import client_named
from messaging.retention import Step

_WORDS = {"Conversation": "conversations", "Message": "messages", "files": "files", "bytes": "bytes"}


class Command(BaseCommand):
    help = "Removes for good what is older than the retention settings allow. Safe to stop and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", metavar="ID", help="one client only: its id or exact name")
        parser.add_argument("--dry-run", action="store_true", help="show what would go, remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_named(options["client"]) if options["client"] is not None else None
        if options["dry_run"]:
            total: Counter[str] = Counter()
            for step in retention.due(client):
                self._print(step, step.gone)
                total += step.gone
            self.stdout.write(f"Would go: {_told(total) or 'nothing'}")
            return
        try:
            self._apply(retention.apply(client))
        except Busy as error:
            raise CommandError("Another run is under way.", returncode=3) from error
        except retention.FilesLeft as error:
            raise CommandError(str(error), returncode=1) from error

    def _apply(self, steps: Any) -> None:
        """A line for each client and kind, and one a few seconds on the way."""
        started = shown = time.monotonic()
        total: Counter[str] = Counter()
        sums: dict[Any, Counter[str]] = {}
        last: Step | None = None
        try:
            for step in steps:
                key = (step.policy.name, step.client)
                if last is not None and key != (last.policy.name, last.client):
                    self._print(last, sums[last.policy.name, last.client])
                sums.setdefault(key, Counter()).update(step.gone)
                total += step.gone
                last = step
                if time.monotonic() - shown > 5:
                    shown = time.monotonic()
                    self._print(step, sums[key], "…")
        finally:
            if last is not None:
                self._print(last, sums[last.policy.name, last.client])
            self.stdout.write(f"Gone: {_told(total) or 'nothing'}; {time.monotonic() - started:.1f} s")

    def _print(self, step: Step, gone: Counter[str], more: str = "") -> None:
        of = f"{step.client.name}: " if step.client else ""
        self.stdout.write(f"{of}{step.policy.name}: {_told(gone)}{more}")
        self.stdout.flush()


def _told(gone: Counter[str]) -> str:
    """Conversations, messages, files and their bytes by name; whatever else went as rows."""
    named: Counter[str] = Counter()
    rows = 0
    for label, count in gone.items():
        if word := _WORDS.get(label.rpartition(".")[2]):
            named[word] += count
        else:
            rows += count
    parts = [f"{count:,} {word}" for word, count in named.items()]
    return ", ".join([*parts, *([f"{rows:,} other rows" if parts else f"{rows:,} rows"] if rows else [])])
