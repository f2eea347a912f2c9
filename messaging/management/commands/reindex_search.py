import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatplatform.db import textindex
from messaging.management.clients import client_named
from messaging.models import Message
from messaging.search.indexing import reindex


class Command(BaseCommand):
    help = "Indexes every message anew by what it says, a few at a time, while the server runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", metavar="ID", help="one client only: its id or exact name")
        parser.add_argument("--after", metavar="N", type=int, default=0, help="go on after the message N")
        parser.add_argument("--verify", action="store_true", help="change nothing, say what differs")

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_named(options["client"]) if options["client"] is not None else None
        repair, started, said_at = not options["verify"], time.monotonic(), time.monotonic()
        looked_at = wrong = 0
        for batch in reindex(client.pk if client else None, after=options["after"], repair=repair):
            looked_at, wrong = looked_at + batch.looked_at, wrong + batch.wrong
            if time.monotonic() - said_at > 2:
                said_at = time.monotonic()
                self.stderr.write(f"{looked_at:,} messages, {wrong:,} differed; done up to --after {batch.last}")
        sound = textindex.is_sound(Message, "search")
        if not sound and repair:
            textindex.rebuild(Message, "search")
        what = "indexed anew" if repair else "differ"
        self.stdout.write(f"{looked_at:,} messages: {wrong:,} {what}; {time.monotonic() - started:.1f} s")
        if not sound:
            self.stdout.write("The index differed from the messages" + (": made anew." if repair else "."))
        if options["verify"] and (wrong or not sound):
            raise CommandError("The index is not what the messages say.", returncode=1)
