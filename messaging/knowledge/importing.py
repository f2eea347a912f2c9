"""An import of articles from start to end, a few at a time, each part whole or not at all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from clients.importing.files import UnreadableFile
from clients.importing.lines import BadLine
from clients.models import Client

from ..actions.articles import Stored, store_articles
from .documents import Document

#: Of one transaction: others' writes on SQLite wait while it runs.
BATCH = 100


@dataclass
class Import:
    client: Client
    #: file, number of the line, reason
    report: Callable[[str, int, str], None]
    dry_run: bool = False
    counts: Stored = field(default_factory=Stored)
    bad_lines: int = 0

    def read(self, path: str, documents: Iterable[Document]) -> None:
        """Stores as it goes. Raises UnreadableFile; what came before is in."""
        seen: dict[str, int] = {}
        batch: list[tuple[int, dict[str, Any]]] = []
        try:
            for number, data in documents:
                if isinstance(data, BadLine):
                    self._bad(path, number, str(data))
                elif (earlier := seen.setdefault(data["key"], number)) != number:
                    self._bad(path, number, f"key: line {earlier} has it too")
                else:
                    batch.append((number, data))
                if len(batch) >= BATCH:
                    full, batch = batch, []
                    self._store(path, full)
        except UnreadableFile:
            self._store(path, batch)
            raise
        self._store(path, batch)

    def _store(self, path: str, batch: list[tuple[int, dict[str, Any]]]) -> None:
        if not batch:
            return
        done = store_articles(client=self.client, given=[data for _, data in batch], dry_run=self.dry_run)
        for place, reason in done.refused:
            self._bad(path, batch[place][0], reason)
        self.counts.made += done.made
        self.counts.updated += done.updated
        self.counts.unchanged += done.unchanged

    def _bad(self, path: str, number: int, reason: str) -> None:
        self.bad_lines += 1
        self.report(path, number, reason)
