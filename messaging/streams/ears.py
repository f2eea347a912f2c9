"""What the hub's thread sleeps on: a pipe for this process, and LISTEN on PostgreSQL."""

import contextlib
import logging
import os
import select
import time
from collections import deque
from typing import Any

from django.db import connection

from conversations.bell import EVENTS, SIGNALS, bell, connect

logger = logging.getLogger("chatplatform.events")
_AGAIN = 2.0  # seconds until a lost connection is tried again


class Ears:
    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._heard: deque[str] = deque(maxlen=1000)
        self._line: Any = None
        self._try_at = 0.0
        bell.followers.add(self.poke)
        if connection.vendor != "postgresql":
            bell.hearers.add(self._hear)

    def poke(self) -> None:
        """From any thread: there is something to do."""
        with contextlib.suppress(OSError):  # full: it is poked already; closed: nobody is there
            os.write(self._write, b"x")

    def _hear(self, signal: str) -> None:
        self._heard.append(signal)
        self.poke()

    def signals(self) -> list[str]:
        """What was heard since."""
        heard = []
        while self._heard:
            heard.append(self._heard.popleft())
        return heard

    def listen(self) -> None:
        """Once it listens, nothing that is committed later goes unheard."""
        if connection.vendor != "postgresql" or self._line is not None or time.monotonic() < self._try_at:
            return
        self._try_at = time.monotonic() + _AGAIN
        try:
            line = connect()
            for channel in (EVENTS, SIGNALS):
                line.execute(f"LISTEN {channel}")
            self._line = line
        except Exception as error:  # it looks by itself meanwhile
            logger.warning("nobody listens for new events: %s", type(error).__name__)

    def wait(self, seconds: float) -> None:
        """Until somebody pokes or notifies, but no longer than that."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        if self._line is not None:
            poll.register(self._line.fileno(), select.POLLIN)
        ready = {fd for fd, _ in poll.poll(seconds * 1000)}
        if self._read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 65536)
        if ready - {self._read}:
            self._take_notices()

    def _take_notices(self) -> None:
        try:
            for notice in self._line.notifies(timeout=0):
                if notice.channel == SIGNALS:
                    self._heard.append(notice.payload)
        except Exception as error:
            logger.warning("nobody listens for new events: %s", type(error).__name__)
            self._line.close()
            self._line = None

    def close(self) -> None:
        bell.followers.discard(self.poke)
        bell.hearers.discard(self._hear)
        if self._line is not None:
            self._line.close()
        os.close(self._write)
        os.close(self._read)
