"""SQLite for a server with several threads and processes: one writer at a time, in turn.

SQLite's own waiting is unfair (a writer may wait 20 seconds while others pass), and before 3.51.3 a
race between a commit and a checkpoint can corrupt a WAL database. So every write transaction of every
process holds one lock file from BEGIN to COMMIT; those who wait are served in turn.
"""

import contextlib
import os
import re
import threading
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from ..textindex import text_rank
from .lock import WriteLock
from .numbered import NumberedLocks
from .schema import DatabaseSchemaEditor

#: What never writes outside a transaction; whatever else there is waits for its turn.
_READS = re.compile(
    r"\s*(?:SELECT|EXPLAIN|VALUES|SAVEPOINT|RELEASE|COMMIT|END|ROLLBACK"
    r"|PRAGMA\s+(?!journal_mode|wal_checkpoint|optimize|incremental_vacuum))\b",
    re.IGNORECASE,
)
_locks: dict[str, WriteLock] = {}
_numbered: dict[str, NumberedLocks] = {}
_locks_guard = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor
    #: Seconds that a writer waits for its turn; an endpoint with a deadline of its own lowers it.
    write_timeout: float = 20.0
    _held: WriteLock | None = None

    @property
    def write_lock(self) -> WriteLock:
        path = f"{self.settings_dict['NAME']}.lock"
        with _locks_guard:
            return _locks.get(path) or _locks.setdefault(path, WriteLock(path))

    @property
    def numbered_locks(self) -> NumberedLocks:
        path = None if self.is_in_memory_db() else f"{self.settings_dict['NAME']}.keys"
        name = path or ":memory:"
        with _locks_guard:
            return _numbered.get(name) or _numbered.setdefault(name, NumberedLocks(path))

    def take_turn(self, sql: str) -> None:
        """Before a statement: one that may write waits until no other transaction does."""
        if self._held is None and not _READS.match(sql):
            self._acquire(self.write_timeout)

    def end_turn(self) -> None:
        """After a statement: the turn lasts as long as the transaction that it began, if it did."""
        if self._held is not None and not self.connection.in_transaction:
            self._release()

    def _acquire(self, timeout: float) -> None:
        if self._held is not None or self.is_in_memory_db():
            return
        lock = self.write_lock
        try:
            held = lock.acquire(timeout)
        except OSError as error:
            raise OperationalError(f"no lock to write under: {error}") from error
        if not held:
            raise OperationalError("database is locked: no turn to write in time")
        self._held = lock

    def _release(self) -> None:
        if self._held is not None:
            lock, self._held = self._held, None
            lock.release()

    def get_new_connection(self, conn_params: Any) -> Any:
        # A new file becomes a WAL database here, and of several who do that at once SQLite fails some.
        if not self._has_file():
            self._acquire(self.write_timeout)
        try:
            connection = super().get_new_connection(conn_params)
            connection.create_function("TEXT_RANK", 2, text_rank, deterministic=True)
            return connection
        finally:
            self._release()

    def _has_file(self) -> bool:
        try:
            return self.is_in_memory_db() or os.path.getsize(self.settings_dict["NAME"]) > 0
        except OSError:
            return False

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._release()  # after a failed COMMIT Django rolls back, which releases

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._release()

    def _close(self) -> None:
        # The last connection's close is a checkpoint. Whoever holds the lock has a connection too, so
        # where it is not free at once this one is not the last.
        with contextlib.suppress(OperationalError):
            self._acquire(0)
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._release()

    def __del__(self) -> None:
        # A thread that ended inside a transaction: SQLite rolls back when the connection goes.
        if self._held is not None:
            with contextlib.suppress(Exception):
                self.connection.close()
            self._release()

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor


class Cursor(base.SQLiteCursorWrapper):
    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        wrapper = self.wrapper
        if wrapper.in_atomic_block and wrapper._held is not None:
            return super().execute(query, params)
        wrapper.take_turn(query)
        try:
            return super().execute(query, params)
        finally:
            wrapper.end_turn()

    def executemany(self, query: str, param_list: Any) -> Any:
        self.wrapper.take_turn(query)
        try:
            return super().executemany(query, param_list)
        finally:
            self.wrapper.end_turn()
