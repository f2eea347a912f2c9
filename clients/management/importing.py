"""What the commands that import files have in common: arguments, progress, and how they end."""

import os
import sys
import time
from argparse import BooleanOptionalAction
from collections.abc import Sequence
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm  # type: ignore[import-untyped]

from chatplatform.db.statistics import refresh_statistics


class Run(Protocol):
    dry_run: bool
    bad_lines: int


class ImportCommand(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="- for standard input")
        parser.add_argument(
            "--client", required=True, metavar="ID", help="the id that create_client printed, or the exact name"
        )
        parser.add_argument("--dry-run", action="store_true", help="check and count everything, write nothing")
        parser.add_argument(
            "--progress", action=BooleanOptionalAction, default=None, help="a progress bar (by default on a terminal)"
        )

    def carry_out(self, run: Run, files: Sequence[tuple[str, Any]], progress: bool | None) -> None:
        """Reads files (their paths, and how each is read) one after the other, and tells what became of it."""
        started = time.monotonic()
        unread = 0
        try:
            with _bar([path for path, _ in files], progress) as bar:
                unread = sum(not self.read(run, path, how, bar) for path, how in files)
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted; run it again to go on.", returncode=130) from error
        except DatabaseError as error:
            reason = str(error).splitlines()[0]
            raise CommandError(f"The database stopped it ({reason}); run it again to go on.", returncode=2) from error
        finally:
            self.sum_up(run, time.monotonic() - started)
            if not run.dry_run and self.has_added(run):
                refresh_statistics()
        if run.bad_lines or unread:
            told = [f"{run.bad_lines} bad lines were left out"] if run.bad_lines else []
            told += [f"{unread} files could not be read to the end"] if unread else []
            raise CommandError(f"{'; '.join(told)}.", returncode=1)

    def read(self, run: Any, path: str, how: Any, bar: "tqdm[Any]") -> bool:
        """Whether the file could be read to its end."""
        raise NotImplementedError

    def sum_up(self, run: Any, seconds: float) -> None:
        raise NotImplementedError

    def has_added(self, run: Any) -> bool:
        raise NotImplementedError

    def report(self, path: str, number: int, reason: str) -> None:
        self.tell(f"{path}:{number}: {reason}")

    def tell(self, text: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            self.stderr.write(text)


def _bar(paths: list[str], wanted: bool | None) -> "tqdm[Any]":
    shown = sys.stderr.isatty() if wanted is None else wanted
    total = None if "-" in paths else sum(os.path.getsize(path) for path in paths)
    return tqdm(total=total, unit="B", unit_scale=True, disable=not shown, file=sys.stderr, dynamic_ncols=True)
