from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from messaging.sweep import sweep_uploads


class Command(BaseCommand):
    help = (
        "Removes files that no message used within 24 hours, what cut-off uploads left, and bytes without a row. "
        "Safe to kill and to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        counted: Counter[str] = Counter()
        for kind, names in sweep_uploads(dry_run=options["dry_run"]):
            counted[kind] += len(names)
            if options["verbosity"] > 1 or options["dry_run"]:
                for name in names:
                    self.stdout.write(f"{kind}: {name}")
        verb = "would be removed" if options["dry_run"] else "removed"
        self.stdout.write(
            f"{counted['unused']} unused uploads, {counted['without bytes']} without bytes, "
            f"{counted['orphan']} files without an upload {verb}"
        )
