import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm  # type: ignore[import-untyped]

from clients.importing import UnreadableFile, numbered_lines
from clients.management.importing import ImportCommand
from clients.search import LANGUAGES
from messaging.knowledge.documents import of_markdown, of_table
from messaging.knowledge.importing import Import
from messaging.management.clients import client_named

_FORMATS = {".csv": "csv", ".tsv": "csv", ".md": "markdown", ".markdown": "markdown"}


class Command(ImportCommand):
    help = "Imports articles and canned replies from CSV, Markdown files or folders of those; can be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", choices=["csv", "markdown"], help="by default what the file's name says")
        parser.add_argument(
            "--language", choices=[code for code, _ in LANGUAGES], help="of what names none; by default the client's"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_named(options["client"])
        self.language = options["language"] or client.search_language
        files = [file for path in options["files"] for file in _files(path, options["format"])]
        run = Import(client, self.report, dry_run=options["dry_run"])
        self.carry_out(run, files, options["progress"])

    def read(self, run: Import, path: str, how: Any, bar: "tqdm[Any]") -> bool:
        kind, name = how
        lines = numbered_lines(path, bar.update)
        documents = of_table(lines, self.language) if kind == "csv" else of_markdown(lines, name, self.language)
        try:
            run.read(path, documents)
        except UnreadableFile as error:
            self.tell(f"{path}: the file cannot be read further: {error}")
            return False
        return True

    def has_added(self, run: Import) -> bool:
        return bool(run.counts.made)

    def sum_up(self, run: Import, seconds: float) -> None:
        made, updated = ("to make", "to update") if run.dry_run else ("made", "updated")
        self.stdout.write(
            f"{run.client.name}: {run.counts.made:,} {made}, {run.counts.updated:,} {updated}, "
            f"{run.counts.unchanged:,} unchanged; {run.bad_lines:,} bad lines; {seconds:.1f} s"
        )


def _files(path: str, chosen: str | None) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each file, how it is read, and what it is called among the keys: in a folder, all that can be read."""
    if path != "-" and os.path.isdir(path):
        for file in sorted(Path(path).rglob("*")):
            if file.is_file() and file.suffix.lower() in _FORMATS:
                yield str(file), (_FORMATS[file.suffix.lower()], str(file.relative_to(path).with_suffix("")))
        return
    if path != "-" and not os.path.isfile(path):
        raise CommandError(f"{path}: no such file", returncode=2)
    name = PurePath(path.removesuffix(".gz"))
    kind = chosen or _FORMATS.get(name.suffix.lower())
    if kind is None:
        raise CommandError(f"{path}: say what it holds, --format csv or --format markdown", returncode=2)
    yield path, (kind, name.stem)
