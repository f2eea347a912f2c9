"""What waits for one subscriber: filled by the hub's thread, taken by whoever writes to the connection."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from clients.callers import Caller

from . import frames

if TYPE_CHECKING:
    from .voice import Voice

#: Of what waits. Whoever reads more slowly than this is let go, and comes back by its cursor.
MOST_FRAMES, MOST_BYTES = 1000, 4 * 1024 * 1024


class Subscription:
    """`cursor` is what the client says it has seen, None where it begins now."""

    __slots__ = (
        "_frames", "_lock", "_size", "_told", "again", "caller", "check_at", "cursor", "ended", "position", "state",
        "voice", "wake",
    )  # fmt: skip

    def __init__(self, voice: "Voice", caller: Caller, again: Callable[[], Caller], cursor: str | None) -> None:
        self.voice, self.caller = voice, caller
        #: Asks anew who the caller is. Raises BadCredential.
        self.again = again
        self.cursor = cursor
        self.state = "new"  # then "behind", while it is told what it missed, then "live"
        self.position = 0  # up to here it has been told everything; the hub's
        self.check_at = 0.0
        self.ended = False
        #: Called by the hub once there is something to take.
        self.wake: Callable[[], None] = _nobody
        self._lock = threading.Lock()
        self._frames: deque[bytes] = deque()
        self._size = self._told = 0

    # --- the hub ---

    def put(self, *made: bytes, position: int | None = None) -> None:
        """In their order; `position`: whoever has these has seen all up to it."""
        with self._lock:
            if self.ended:
                return
            self._frames.extend(made)
            self._size += sum(map(len, made))
            if len(self._frames) > MOST_FRAMES or self._size > MOST_BYTES:
                self.ended = True  # what waits is still good, and its last id is where it comes back
            if position is not None:
                self.position = position

    def put_signal(self, frame: bytes) -> None:
        """What is worth nothing later does not wait behind much else."""
        if len(self._frames) < MOST_FRAMES // 2:
            self.put(frame)

    def end(self) -> None:
        self.ended = True

    @property
    def has_room(self) -> bool:
        """For a page of what it missed."""
        return not self._frames

    # --- the connection ---

    def take(self) -> bytes:
        """Everything that waits, empty where nothing does."""
        with self._lock:
            if not self._frames:
                return b""
            taken = b"".join(self._frames)
            self._frames.clear()
            self._size = 0
            return taken

    def heartbeat(self) -> bytes:
        """A comment; with an id where what happened meanwhile was none of its business, so that a cursor
        does not grow old with nothing to see."""
        with self._lock:
            fresh = self.position if self.state == "live" and self.position != self._told else None
            self._told = self.position
            return b"" if self._frames else frames.heartbeat(fresh)


def _nobody() -> None:
    pass
