"""The event log in one order for everybody who follows it, with nothing left out (docs/events.md).

Ids are given before a transaction commits, so a row may appear below one that was read already: whoever
asks for "all above the last" would miss it. Here a row is only told once every lower id has either been
seen or can no longer come. Its id is then a cursor: whoever has seen it has seen all below.
"""

import time
from datetime import datetime
from typing import Any, Self, TypedDict
from uuid import UUID

from django.db import connection

from .models import Event

COLUMNS = ("id", "uuid", "client_id", "conversation_id", "kind", "data", "created_at")
#: Whoever is about to write an event holds this lock before the id is given, until the end of the transaction.
_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = %s::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Told(TypedDict):
    """One event, as the log has it."""

    id: int
    uuid: UUID
    client_id: int
    conversation_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime


class Feed:
    """Reads on from an id. Not for several threads at once."""

    def __init__(self, after: int) -> None:
        self.position = after
        self._settled = after  # no id up to here can still come
        #: Up to which id somebody looked, and who was writing then: once those have ended, it is settled.
        self._looks: list[tuple[int, frozenset[str]]] = []

    @classmethod
    def from_now(cls) -> Self:
        """Begins behind what is there now; waits for those who write at this moment, whose ids may be lower."""
        upto, writers = latest(), writers_now()
        while writers:
            time.sleep(0.01)
            writers &= writers_now()
        return cls(upto)

    def read(self, limit: int = 500) -> list[Told]:
        """The next events, at most `limit`; fewer, or none, while a lower one may still come."""
        rows = self._fetch(limit)
        if not rows:
            return []
        known = max(self.position, self._settled)
        if max(0, rows[-1]["id"] - known) != sum(row["id"] > known for row in rows):
            # Of what was read before the look, every lower id has been given by then, and what it did not find
            # being written is seen by reading again; of what only comes with that, nothing is known yet.
            upto = rows[-1]["id"]
            self._look(upto, writers_now())
            rows = self._fetch(limit)
        told = []
        for row in rows:
            if row["id"] - 1 > max(self.position, self._settled):
                break
            self.position = row["id"]
            told.append(row)
        return [row for row in told if not row["data"].get("imported")]

    def _look(self, upto: int, writers: frozenset[str]) -> None:
        looks = [(until, then & writers) for until, then in self._looks]
        if not looks or looks[-1][0] < upto:
            looks.append((upto, writers))
        while looks and not looks[0][1]:
            self._settled = max(self._settled, looks.pop(0)[0])
        self._looks = looks

    def _fetch(self, limit: int) -> list[Told]:
        rows = Event.objects.filter(pk__gt=self.position).order_by("pk").values(*COLUMNS)
        return list(rows[:limit])  # type: ignore[arg-type]


def latest() -> int:
    """The id of the newest event that has been committed, 0 where there is none."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def writers_now() -> frozenset[str]:
    """The transactions that may have taken an id and not committed yet. SQLite has one writer: none."""
    if connection.vendor == "sqlite":
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [Event._meta.db_table])
        return frozenset(name for (name,) in cursor.fetchall())
