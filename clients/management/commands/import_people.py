import os
from pathlib import PurePath
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm  # type: ignore[import-untyped]

from clients.importing import KINDS, Import, UnreadableFile, numbered_lines, shown
from clients.management.importing import ImportCommand
from messaging.management.clients import client_named

_FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


class Command(ImportCommand):
    help = "Imports users, contacts and agents with the client's own ids, from CSV or JSON lines; can be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", choices=["csv", "jsonl"], help="by default what the file's name says")
        parser.add_argument("--kind", choices=KINDS, help="of lines that name none")

    def handle(self, *args: Any, **options: Any) -> None:
        files = [(path, _format(path, options["format"])) for path in options["files"]]
        run = Import(client_named(options["client"]), self.report, kind=options["kind"], dry_run=options["dry_run"])
        self.carry_out(run, files, options["progress"])

    def read(self, run: Import, path: str, how: Any, bar: "tqdm[Any]") -> bool:
        try:
            run.read(path, numbered_lines(path, bar.update), how)
        except UnreadableFile as error:
            self.tell(f"{path}: the file cannot be read further: {error}")
            return False
        return True

    def has_added(self, run: Import) -> bool:
        return any(count.made for count in run.counts.values())

    def sum_up(self, run: Import, seconds: float) -> None:
        made, updated = ("to make", "to update") if run.dry_run else ("made", "updated")
        told = [
            f"{kind}s {count.made:,} {made}, {count.updated:,} {updated}, {count.unchanged:,} unchanged"
            for kind, count in run.counts.items()
        ]
        if run.ignored:
            names = ", ".join(shown(name) for name in sorted(run.ignored))
            self.tell(f"Columns of no meaning here were ignored: {names}")
        self.stdout.write(f"{run.client.name}: {'; '.join(told)}; {run.bad_lines:,} bad lines; {seconds:.1f} s")


def _format(path: str, chosen: str | None) -> str:
    if path != "-" and not os.path.isfile(path):
        raise CommandError(f"{path}: no such file", returncode=2)
    name = PurePath(path.lower().removesuffix(".gz"))
    found = chosen or _FORMATS.get(name.suffix)
    if found is None:
        raise CommandError(f"{path}: say what it holds, --format csv or --format jsonl", returncode=2)
    return found
