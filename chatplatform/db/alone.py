"""What no other of the same number runs beside."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.db import OperationalError, connection, transaction

#: Numbers are below 2^62: an offset in a file on SQLite, a bigint on PostgreSQL.
BITS = 62
_POLL = 0.005  # seconds between two looks at a lock that another holds


def number_of(*words: str) -> int:
    """That two names of the same moment share a number is as good as impossible."""
    hashed = hashlib.sha256("\0".join(words).encode(errors="backslashreplace")).digest()
    return int.from_bytes(hashed[:8], "big") >> (64 - BITS)


class Busy(Exception):
    """Another thread or process runs a transaction of this number now."""


@contextmanager
def alone(number: int, within: AbstractContextManager[None]) -> Iterator[None]:
    """Runs `within` (which opens a transaction), and is over only when that has ended. Raises Busy at once,
    nobody waits. Whoever is killed holds nothing any more."""
    if connection.vendor == "sqlite":
        # Before the transaction, which waits for its turn to write.
        locks = connection.numbered_locks  # type: ignore[attr-defined]
        try:
            held = locks.acquire(number)
        except OSError as error:
            raise OperationalError(f"no lock to write under: {error}") from error
        if not held:
            raise Busy
        try:
            with within:
                yield
        finally:
            locks.release(number)
        return
    with within:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [number])
            [held] = cursor.fetchone()
        if not held:
            raise Busy
        yield


@contextmanager
def sole(number: int) -> Iterator[None]:
    """For work of many transactions. Raises Busy at once, nobody waits; whoever is killed holds nothing any more."""
    if connection.vendor == "sqlite":
        with alone(number, nullcontext()):
            yield
        return
    # The lock is a session's: on a connection of its own, which no transaction of the work can abort.
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s::bigint)", [number])
            [held] = cursor.fetchone()
        if not held:
            raise Busy
        try:
            yield
        finally:
            with holder.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s::bigint)", [number])
    finally:
        holder.close()


@contextmanager
def in_turn(number: int, timeout: float = 20.0) -> Iterator[None]:
    """Others of the same number wait until this is over. Raises OperationalError where it takes too long.

    On PostgreSQL it is a transaction: what it wrote is not kept where something is raised in it.
    """
    if connection.vendor != "sqlite":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [number])
            yield
        return
    locks = connection.numbered_locks  # type: ignore[attr-defined]
    deadline = time.monotonic() + timeout
    try:
        while not locks.acquire(number):
            if time.monotonic() >= deadline:
                raise OperationalError("no turn in time")
            time.sleep(_POLL)
    except OSError as error:
        raise OperationalError(f"no lock: {error}") from error
    try:
        yield
    finally:
        locks.release(number)
