"""Tells whoever follows the event log, here and in other processes, that there is more of it; and carries
what is told and not kept.

A writer pays for setting a flag. On PostgreSQL a thread of its process sends the NOTIFY, one for whatever
was committed meanwhile; on SQLite only this process is told, others look by themselves.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

logger = logging.getLogger("chatplatform.events")

#: The channels of PostgreSQL.
EVENTS, SIGNALS = "chatplatform_events", "chatplatform_signals"
_PAUSE = 0.02  # seconds between two NOTIFYs
_IDLE = 10.0  # seconds after which the thread and its connection end
_WAITING = 1000  # signals
PAYLOAD = 7900  # bytes; PostgreSQL takes less than 8,000


class Bell:
    def __init__(self) -> None:
        #: Of this process: called after each commit that told something, by the thread that wrote. Not to wait.
        self.followers: set[Callable[[], None]] = set()
        #: Of this process, on SQLite: called with each signal.
        self.hearers: set[Callable[[str], None]] = set()
        self._flag = threading.Event()
        self._lock = threading.Lock()
        self._signals: deque[str] = deque(maxlen=_WAITING)
        self._thread: threading.Thread | None = None
        self._rung = self._stopping = False

    def ring_on_commit(self) -> None:
        transaction.on_commit(self.ring, robust=True)

    def ring(self) -> None:
        for follow in tuple(self.followers):
            follow()
        if connection.vendor == "postgresql":
            self._rung = True
            self._send()

    def say(self, signal: str) -> None:
        """Not kept: whoever does not listen now never hears of it."""
        if connection.vendor == "postgresql":
            self._signals.append(signal)
            self._send()
        else:
            for hear in tuple(self.hearers):
                hear(signal)

    def stop(self) -> None:
        """Ends the thread, with its connection; the next ring starts another."""
        thread = self._thread
        if thread is not None:
            self._stopping = True
            self._flag.set()
            thread.join(10)
            self._stopping = False

    def _send(self) -> None:
        self._flag.set()
        if self._thread is None or not self._thread.is_alive():  # a fork leaves its threads behind
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        line = None
        try:
            while not self._stopping:
                if not self._flag.wait(_IDLE):
                    with self._lock:  # whoever sets it from now on starts another thread
                        if not self._flag.is_set():
                            self._thread = None
                            return
                self._flag.clear()
                try:
                    line = line or connect()
                    self._notify(line)
                except Exception as error:  # those who follow look by themselves now and then
                    logger.warning("nobody could be told of new events: %s", type(error).__name__)
                    if line is not None:
                        line.close()
                    line = None
                time.sleep(_PAUSE)
        finally:
            if line is not None:
                line.close()
            if self._stopping:
                self._thread = None

    def _notify(self, line: Any) -> None:
        if self._rung:
            self._rung = False
            line.execute("SELECT pg_notify(%s, '')", [EVENTS])
        while self._signals:
            line.execute("SELECT pg_notify(%s, %s)", [SIGNALS, self._signals.popleft()])


def connect() -> Any:
    """A connection of its own to PostgreSQL, which commits each statement and is none of the pool's."""
    import psycopg

    return psycopg.connect(**connection.get_connection_params(), autocommit=True)


bell = Bell()
