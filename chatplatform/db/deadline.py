"""A transaction that must be done in time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.db import connection, transaction


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """One transaction in which no statement, no wait for a lock and no wait for a turn to write lasts
    longer than `seconds`; past that OperationalError, and nothing is written."""
    if connection.vendor == "sqlite":
        usual = connection.write_timeout  # type: ignore[attr-defined]
        _set_sqlite(seconds)
        try:
            with transaction.atomic():
                yield
        finally:
            _set_sqlite(usual)
        return
    milliseconds = max(int(seconds * 1000), 1)
    with transaction.atomic(), connection.cursor() as cursor:
        # Literals: SET takes no bound parameters.
        cursor.execute(f"SET LOCAL statement_timeout = {milliseconds:d}")
        cursor.execute(f"SET LOCAL lock_timeout = {milliseconds:d}")
        yield


def reading(seconds: float) -> AbstractContextManager[None]:
    """The same for what only reads, which on SQLite waits for nobody and takes no turn."""
    return nullcontext() if connection.vendor == "sqlite" else deadline(seconds)


def _set_sqlite(seconds: float) -> None:
    """Ours is the wait for a turn, SQLite's own that for a lock of a program that takes no turns."""
    connection.write_timeout = seconds  # type: ignore[attr-defined]
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA busy_timeout = {max(int(seconds * 1000), 1):d}")
