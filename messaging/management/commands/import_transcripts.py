import os
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm  # type: ignore[import-untyped]

from analytics.folding import catch_up
from clients.management.importing import ImportCommand
from messaging.importing import Import, UnreadableFile, numbered_lines
from messaging.management.clients import client_named


class Command(ImportCommand):
    help = "Imports dialogues (JSON lines, plain or gzip) into a client; what is there already is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--auto-tag", action="store_true", help="tag by what customers say, as the client's auto-tags have it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["files"]:
            if path != "-" and not os.path.isfile(path):
                raise CommandError(f"{path}: no such file", returncode=2)
        run = Import(
            client_named(options["client"]), self.report, dry_run=options["dry_run"], auto_tag=options["auto_tag"]
        )
        try:
            self.carry_out(run, [(path, None) for path in options["files"]], options["progress"])
        finally:
            if run.stored.conversations and not options["dry_run"]:
                catch_up()  # the dashboards need not wait for the worker

    def read(self, run: Import, path: str, how: None, bar: "tqdm[Any]") -> bool:
        run.begin_file(path)
        number, whole = 0, True
        try:
            for number, line in numbered_lines(path, bar.update):
                run.add(number, line)
        except UnreadableFile as error:
            whole = False
            self.report(path, number + 1, f"the file cannot be read further: {error}")
        run.flush()
        return whole

    def has_added(self, run: Import) -> bool:
        return bool(run.stored.conversations)

    def sum_up(self, run: Import, seconds: float) -> None:
        stored = run.stored
        lines = stored.messages + stored.private
        self.stdout.write(
            f"{run.client.name}: {stored.conversations:,} conversations {'to add' if run.dry_run else 'added'}, "
            f"{run.already_there:,} already there; {stored.messages:,} messages, {stored.private:,} private lines; "
            f"{run.bad_lines:,} bad lines; {seconds:.1f} s, {lines / max(seconds, 0.001):,.0f} messages/s"
        )
