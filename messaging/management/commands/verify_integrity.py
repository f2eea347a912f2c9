import json
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.integrity import Difference, verify
from messaging.management.clients import client_named


class Command(BaseCommand):
    help = "Recounts every counter, sequence, last message, unread figure and session, and says what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", metavar="ID", help="one client only: its id or exact name")
        parser.add_argument("--repair", action="store_true", help="make right what differs")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_named(options["client"]) if options["client"] is not None else None
        self._checked = self._different = self._repaired = 0
        started = time.monotonic()
        found = self._found(verify(client.pk if client else None, repair=options["repair"]))
        if options["json"]:
            self._print_json(found)
        else:
            for difference in found:
                self.stdout.write(str(difference))
            self.stdout.write(
                f"{self._checked:,} conversations recounted: {self._different:,} differences, "
                f"{self._repaired:,} repaired; {time.monotonic() - started:.1f} s"
            )
        if self._different:
            raise CommandError(f"{self._different} differences, {self._repaired} repaired.", returncode=1)

    def _found(self, batches: Iterator[tuple[int, list[Difference]]]) -> Iterator[Difference]:
        for checked, differences in batches:
            self._checked += checked
            for difference in differences:
                self._different += 1
                self._repaired += difference.repaired
                yield difference

    def _print_json(self, found: Iterator[Difference]) -> None:
        """Written as it goes: there may be more differences than memory holds."""
        self.stdout.write('{"differences": [', ending="")
        for number, difference in enumerate(found):
            self.stdout.write(",\n" if number else "\n", ending="")
            self.stdout.write(json.dumps(difference.as_json()), ending="")
        totals = {"conversations": self._checked, "different": self._different, "repaired": self._repaired}
        self.stdout.write("], " + json.dumps(totals)[1:])
