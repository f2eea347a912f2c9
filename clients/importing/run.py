"""An import of people from start to end, in batches that are stored whole or not at all."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import OperationalError

from ..checks import normal_email
from ..models import Client
from .files import UnreadableFile
from .halves import by_halves
from .lines import BadLine, json_object
from .people import KINDS, Line, fields, parse
from .store import Plan, hashed_passwords, plan, write, wrong_password
from .tables import records

#: Of one transaction: others' writes on SQLite wait while it runs.
BATCH = 500
_TRIES = 5
_MOST_IGNORED = 20

Format = Literal["csv", "jsonl"]
#: file, number of the line, reason
Report = Callable[[str, int, str], None]


@dataclass
class Count:
    made: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class Import:
    client: Client
    report: Report
    kind: str | None = None
    dry_run: bool = False
    counts: dict[str, Count] = field(default_factory=lambda: {kind: Count() for kind in KINDS})
    bad_lines: int = 0
    #: Names of columns that lines have and we know nothing of.
    ignored: set[str] = field(default_factory=set)

    def read(self, path: str, lines: Iterable[tuple[int, bytes | None]], how: Format) -> None:
        """Stores as it goes. Raises UnreadableFile; what came before is in."""
        self._path, self._seen = path, _Seen()
        batch: list[Line] = []
        try:
            for number, data in records(lines) if how == "csv" else _objects(lines):
                self._take(batch, number, data)
                if len(batch) >= BATCH:
                    full, batch = batch, []
                    self._store(full)
        except UnreadableFile:
            self._store(batch)
            raise
        self._store(batch)

    def _take(self, batch: list[Line], number: int, data: dict[str, Any] | BadLine) -> None:
        try:
            if isinstance(data, BadLine):
                raise data
            batch.append(self._parse(number, data))
        except BadLine as error:
            self._bad(number, str(error))

    def _parse(self, number: int, data: dict[str, Any]) -> Line:
        if len(self.ignored) < _MOST_IGNORED:
            self.ignored |= data.keys() - _FIELDS
        line = parse(number, data, self.kind)
        keys = [("id", f"{line.kind} {line.id}")]
        if line.kind == "user":
            keys.append(("email", normal_email(line.values["email"]).lower()))
        for name, key in keys:
            if (earlier := self._seen.line_of(f"{name} {key}", number)) is not None:
                raise BadLine(f"{name}: line {earlier} has it too")
        return line

    def _store(self, batch: Sequence[Line]) -> None:
        for _, done in by_halves(batch, self._write, lambda line, reason: self._bad(line.number, reason)):
            for number, reason in sorted(done.refused):
                self._bad(number, reason)
            for kind, count in self.counts.items():
                count.made += len(done.new[kind])  # type: ignore[index]
                count.updated += len(done.changed[kind])  # type: ignore[index]
                count.unchanged += done.unchanged[kind]  # type: ignore[index]

    def _write(self, batch: Sequence[Line]) -> Plan:
        if self.dry_run:
            wrong = {line.number: problem for line in batch if (problem := wrong_password(line))}
            done = plan(self.client, [line for line in batch if line.number not in wrong])
            done.refused.extend(wrong.items())
            return done
        hashes, refused = hashed_passwords(self.client, batch)
        numbers = {number for number, _ in refused}
        done = _again(lambda: write(self.client, [line for line in batch if line.number not in numbers], hashes))
        done.refused.extend(refused)
        return done

    def _bad(self, number: int, reason: str) -> None:
        self.bad_lines += 1
        self.report(self._path, number, reason)


_FIELDS = fields()


def _objects(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[tuple[int, dict[str, Any] | BadLine]]:
    for number, line in lines:
        if line is None:
            yield number, BadLine("longer than 8 MiB")
        elif line.strip():
            try:
                yield number, json_object(line)
            except BadLine as error:
                yield number, error


def _again(do: Callable[[], Plan]) -> Plan:
    """Once more after a lock that took too long, or a connection that is gone."""
    for attempt in range(1, _TRIES):
        try:
            return do()
        except OperationalError:
            time.sleep(0.1 * 2**attempt)
    return do()


class _Seen:
    """The ids and addresses that a file had so far, on disk: there may be more than memory holds."""

    def __init__(self) -> None:
        self._keys = sqlite3.connect("")
        self._keys.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def line_of(self, key: str, number: int) -> int | None:
        """The earlier line that has this key; None where `number` is the first."""
        row = self._keys.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()
        if row is not None:
            return int(row[0])
        self._keys.execute("INSERT INTO seen VALUES (?, ?)", (key, number))
        return None
