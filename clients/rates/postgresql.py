"""Counts in a table of PostgreSQL.

Each call is one statement in its own right: outside of the transaction of what is called, so that one
that is rolled back counts too and its row is not locked meanwhile. The table is unlogged: no commit of
it waits for the disk, and after a crash of the database server all windows begin anew. The time is the
database's, one for all machines.
"""

import threading
import time
from typing import Any

from django.db import connection

from .store import WINDOW, Limit, Standing, runs

_TABLE = "clients_ratewindow"
_NOW = "statement_timestamp()"
_WINDOW = f"interval '{WINDOW} seconds'"
#: As `store.runs` says it.
_OPEN = f"ends_at > {_NOW} AND ends_at <= {_NOW} + 2 * {_WINDOW}"
#: By the row that was to be inserted, so that the time is read once.
_ENDED = f"(kept.ends_at <= excluded.ends_at - {_WINDOW} OR kept.ends_at > excluded.ends_at + {_WINDOW})"
_TOLD = f"spent, extract(epoch FROM ends_at)::float8, extract(epoch FROM ends_at - {_NOW})::float8"
_SPEND = f"""
INSERT INTO {_TABLE} AS kept (key, ends_at, spent)
SELECT %s, {_NOW} + {_WINDOW}, 1 {{where}}
ON CONFLICT (key) DO UPDATE SET
    spent = CASE WHEN {_ENDED} THEN 1 ELSE kept.spent + 1 END,
    ends_at = CASE WHEN {_ENDED} THEN excluded.ends_at ELSE kept.ends_at END
WHERE {_ENDED} OR kept.spent < %s
RETURNING {_TOLD}
"""
_ALONE = _SPEND.format(where="")
_UNLESS = _SPEND.format(where=f"WHERE NOT EXISTS (SELECT FROM {_TABLE} WHERE key = %s AND spent >= %s AND {_OPEN})")
_READ = f"SELECT {_TOLD} FROM {_TABLE} WHERE key = %s AND spent >= %s AND {_OPEN}"  # noqa: S608
_SWEEP = f"""
DELETE FROM {_TABLE} WHERE key IN (
    SELECT key FROM {_TABLE} WHERE ends_at <= {_NOW} LIMIT 1000 FOR UPDATE SKIP LOCKED
) AND ends_at <= {_NOW}
"""  # noqa: S608
_KEPT = 10_000


class PostgreSQL:
    def __init__(self) -> None:
        #: What is used up, until when by this machine's clock: it is refused without asking.
        self._used_up: dict[str, tuple[float, Standing]] = {}
        self._swept = time.monotonic()
        self._lock = threading.Lock()

    def spend(self, limit: Limit, unless: Limit | None) -> Standing:
        for one in (unless, limit):
            if one and (refused := self._known(one)):
                return refused
        with connection.cursor() as cursor:
            while True:
                if unless:
                    cursor.execute(_UNLESS, [limit.key, unless.key, unless.most, limit.most])
                else:
                    cursor.execute(_ALONE, [limit.key, limit.most])
                if (row := cursor.fetchone()) is not None:
                    if row[0] == 1:
                        self._sweep(cursor)
                    return Standing(limit, True, *row)
                for one in (unless, limit):
                    if one and (refused := self._refused(cursor, one)):
                        return refused
                # The window that it was refused by has ended since.

    def _refused(self, cursor: Any, one: Limit) -> Standing | None:
        cursor.execute(_READ, [one.key, one.most])
        row = cursor.fetchone()
        if row is None:
            return None
        standing = Standing(one, False, *row)
        with self._lock:
            if len(self._used_up) >= _KEPT:
                self._used_up.clear()
            self._used_up[one.key] = (time.time() + standing.left, standing)
        return standing

    def _known(self, one: Limit) -> Standing | None:
        """Nothing is given back within a window; only a greater limit lets calls in again."""
        until, kept = self._used_up.get(one.key, (0.0, None))
        now = time.time()
        if kept is None or not runs(until, now) or kept.limit.most < one.most:
            return None
        return Standing(one, False, kept.spent, kept.ends, until - now)

    def _sweep(self, cursor: Any) -> None:
        """What has ended goes, now and then, when a new window begins."""
        now = time.monotonic()
        with self._lock:
            if now - self._swept < WINDOW:
                return
            self._swept = now
        cursor.execute(_SWEEP)
