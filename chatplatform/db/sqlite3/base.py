"""SQLite for a server with several threads and processes: one writer at a time, in turn.

SQLite's own waiting is unfair (a writer may wait 20 seconds while others pass), and before 3.51.3 a
race between a commit and a checkpoint can corrupt a WAL database. So every write transaction of every
process holds one lock file from BEGIN to COMMIT; those who wait are served in turn.
"""

import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from .lock import WriteLock

_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER)\b", re.IGNORECASE)
_locks: dict[str, WriteLock] = {}
_locks_guard = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    #: Seconds that a writer waits for its turn; an endpoint with a deadline of its own lowers it.
    write_timeout: float = 20.0
    _holds_lock = False

    @property
    def write_lock(self) -> WriteLock:
        path = f"{self.settings_dict['NAME']}.lock"
        with _locks_guard:
            return _locks.setdefault(path, WriteLock(path))

    def _acquire(self) -> None:
        if self._holds_lock or self.is_in_memory_db():
            return
        if not self.write_lock.acquire(self.write_timeout):
            raise OperationalError("database is locked: no turn to write in time")
        self._holds_lock = True

    def _release(self) -> None:
        if self._holds_lock:
            self._holds_lock = False
            self.write_lock.release()

    def _start_transaction_under_autocommit(self) -> None:
        self._acquire()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._release()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._release()  # after a failed COMMIT Django rolls back, which releases

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._release()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._release()

    @contextlib.contextmanager
    def single_write(self, sql: str) -> Iterator[None]:
        """A statement outside a transaction that writes takes its turn too."""
        if self.in_atomic_block or self._holds_lock or not _WRITES.match(sql):
            yield
            return
        self._acquire()
        try:
            yield
        finally:
            self._release()

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor


class Cursor(base.SQLiteCursorWrapper):
    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        with self.wrapper.single_write(query):
            return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        with self.wrapper.single_write(query):
            return super().executemany(query, param_list)
