"""What was deleted is gone from the database's files too, as far as the database can."""

from django.db import connection

_PATIENCE = 500  # milliseconds for readers of earlier pages to end


def leave_no_trace() -> None:
    """SQLite: `secure_delete` has overwritten it in the database, and the log of earlier pages is emptied
    here (by a later call, where a reader still needs it). PostgreSQL vacuums by itself.

    Outside of any transaction.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        [before] = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout={_PATIENCE}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={before}")
