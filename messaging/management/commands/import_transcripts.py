import os
import sys
import time
from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm  # type: ignore[import-untyped]

from chatplatform.db.statistics import refresh_statistics
from messaging.importing import Import, UnreadableFile, numbered_lines
from messaging.management.clients import client_named


class Command(BaseCommand):
    help = "Imports dialogues (JSON lines, plain or gzip) into a client; what is there already is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="- for standard input")
        parser.add_argument(
            "--client", required=True, metavar="ID", help="the id that create_client printed, or the exact name"
        )
        parser.add_argument("--dry-run", action="store_true", help="check and count everything, write nothing")
        parser.add_argument(
            "--progress", action=BooleanOptionalAction, default=None, help="a progress bar (by default on a terminal)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["files"]:
            if path != "-" and not os.path.isfile(path):
                raise CommandError(f"{path}: no such file", returncode=2)
        run = Import(client_named(options["client"]), self._report, dry_run=options["dry_run"])
        started = time.monotonic()
        unread = 0
        try:
            unread = self._read(run, options["files"], self._bar(options["files"], options["progress"]))
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted; run it again to go on.", returncode=130) from error
        except DatabaseError as error:
            reason = str(error).splitlines()[0]
            raise CommandError(f"The database stopped it ({reason}); run it again to go on.", returncode=2) from error
        finally:
            self._sum_up(run, time.monotonic() - started)
            if run.stored.conversations and not run.dry_run:
                refresh_statistics()
        if run.bad_lines or unread:
            told = [f"{run.bad_lines} bad lines were left out"] if run.bad_lines else []
            told += [f"{unread} files could not be read to the end"] if unread else []
            raise CommandError(f"{'; '.join(told)}.", returncode=1)

    def _read(self, run: Import, paths: list[str], bar: "tqdm[Any]") -> int:
        """How many files could not be read to their end."""
        unread = 0
        with bar:
            for path in paths:
                run.begin_file(path)
                number = 0
                try:
                    for number, line in numbered_lines(path, bar.update):
                        run.add(number, line)
                except UnreadableFile as error:
                    unread += 1
                    self._report(path, number + 1, f"the file cannot be read further: {error}")
                run.flush()
        return unread

    def _bar(self, paths: list[str], wanted: bool | None) -> "tqdm[Any]":
        shown = sys.stderr.isatty() if wanted is None else wanted
        total = None if "-" in paths else sum(os.path.getsize(path) for path in paths)
        return tqdm(total=total, unit="B", unit_scale=True, disable=not shown, file=sys.stderr, dynamic_ncols=True)

    def _report(self, path: str, number: int, reason: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            self.stderr.write(f"{path}:{number}: {reason}")

    def _sum_up(self, run: Import, seconds: float) -> None:
        stored = run.stored
        lines = stored.messages + stored.private
        self.stdout.write(
            f"{run.client.name}: {stored.conversations:,} conversations {'to add' if run.dry_run else 'added'}, "
            f"{run.already_there:,} already there; {stored.messages:,} messages, {stored.private:,} private lines; "
            f"{run.bad_lines:,} bad lines; {seconds:.1f} s, {lines / max(seconds, 0.001):,.0f} messages/s"
        )
