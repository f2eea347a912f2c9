"""An import from start to end: batches short enough to let others write in between."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, OperationalError
from django.utils import timezone

from clients.importing.halves import by_halves
from clients.importing.lines import BadLine
from clients.models import Client

from ..rulebook import read_tagger
from .dialogues import Dialogue, parse
from .store import Stored, absent, contents, import_dialogues

#: Of one transaction: a web server's writes on SQLite wait while it runs.
BATCH_DIALOGUES = 100
BATCH_MESSAGES = 1000
_TRIES = 5

#: file, number of the line, reason
Report = Callable[[str, int, str], None]


@dataclass(slots=True)
class _Placed:
    number: int
    dialogue: Dialogue


@dataclass
class Import:
    """Takes lines; stores them as it goes, whatever comes after."""

    client: Client
    report: Report
    dry_run: bool = False
    auto_tag: bool = False
    stored: Stored = field(default_factory=Stored)
    already_there: int = 0
    bad_lines: int = 0

    def __post_init__(self) -> None:
        self._batch: list[_Placed] = []
        self._size = 0
        self._path = ""
        self._at: datetime = timezone.now()
        self._tagger = read_tagger(self.client.pk) if self.auto_tag else None
        self._seen = _Seen() if self.dry_run else None

    def begin_file(self, path: str) -> None:
        self.flush()
        self._path = path
        self._at = timezone.now()

    def add(self, number: int, line: bytes | None) -> None:
        """One line of the file, None where it was too long; empty ones count for nothing."""
        if line is not None and not line.strip():
            return
        try:
            dialogue = parse(line)
        except BadLine as error:
            self._bad(number, str(error))
            return
        self._batch.append(_Placed(number, dialogue))
        self._size += len(dialogue.messages)
        if len(self._batch) >= BATCH_DIALOGUES or self._size >= BATCH_MESSAGES:
            self.flush()

    def flush(self) -> None:
        batch, self._batch, self._size = self._batch, [], 0
        self._store(batch)

    def _store(self, batch: Sequence[_Placed]) -> None:
        for part, stored in by_halves(batch, self._write, lambda placed, reason: self._bad(placed.number, reason)):
            self.stored += stored
            self.already_there += len(part) - stored.conversations

    def _write(self, batch: Sequence[_Placed]) -> Stored:
        dialogues = [placed.dialogue for placed in batch]
        if self._seen is not None:
            would_be = Stored()
            for dialogue in absent(self.client, dialogues):
                if self._seen.add(dialogue.external_id):
                    would_be += contents(dialogue)
            return would_be
        attempt = 1
        while True:
            try:
                return import_dialogues(client=self.client, dialogues=dialogues, at=self._at, tagger=self._tagger)
            except IntegrityError:  # somebody has just made an agent with the same id
                if attempt > 1:
                    raise
            except OperationalError:  # a lock that took too long, a connection that is gone
                if attempt == _TRIES:
                    raise
                time.sleep(0.1 * 2**attempt)
            attempt += 1

    def _bad(self, number: int, reason: str) -> None:
        self.bad_lines += 1
        self.report(self._path, number, reason)


class _Seen:
    """The ids that a dry run has met, on disk: there may be more than memory holds."""

    def __init__(self) -> None:
        self._ids = sqlite3.connect("")
        self._ids.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, external_id: str) -> bool:
        """Whether it is new."""
        return self._ids.execute("INSERT OR IGNORE INTO seen VALUES (?)", (external_id,)).rowcount == 1
