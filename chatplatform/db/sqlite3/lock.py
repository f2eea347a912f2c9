import contextlib
import fcntl
import os
import threading
import time
from collections import deque

_POLL = 0.001  # seconds between two looks at another process's lock


class WriteLock:
    """One holder among all threads of all processes, served in turn.

    Threads of one process queue up, first come, first served. Their front runner stands in a queue of
    one (`path.next`) before it polls the lock itself, so a process that releases and asks again at once
    cannot pass the one that was waiting. The kernel drops both locks when a process is killed.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = _Turns()
        self._descriptors: tuple[int, int] | None = None
        self._process = os.getpid()
        _all.append(self)

    def acquire(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds; whether the lock is held now. Raises OSError."""
        deadline = time.monotonic() + timeout
        if not self._threads.acquire(timeout):
            return False
        held = False
        try:
            holder, queue = self._open()
            if _poll(queue, deadline):
                try:
                    held = _poll(holder, deadline)
                finally:
                    fcntl.flock(queue, fcntl.LOCK_UN)
        finally:
            if not held:
                self._threads.release()
        return held

    def release(self) -> None:
        if self._process != os.getpid() or self._descriptors is None:
            return  # a fork does not hold what its parent holds
        fcntl.flock(self._descriptors[0], fcntl.LOCK_UN)
        self._threads.release()

    def _open(self) -> tuple[int, int]:
        if self._descriptors is None:
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            holder = os.open(self._path, flags, 0o600)
            try:
                self._descriptors = holder, os.open(f"{self._path}.next", flags, 0o600)
            except OSError:
                os.close(holder)
                raise
        return self._descriptors

    def forget(self) -> None:
        """In a fork: a shared descriptor would keep the lock alive when the parent is killed."""
        for descriptor in self._descriptors or ():
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._descriptors, self._process, self._threads = None, os.getpid(), _Turns()


class _Turns:
    """A lock that is handed over in the order of asking (threading.Lock favours whoever just had it)."""

    def __init__(self) -> None:
        self._guard = threading.RLock()  # a garbage collection inside may call release()
        self._queue: deque[threading.Lock] = deque()  # its front holds the lock

    def acquire(self, timeout: float) -> bool:
        turn = threading.Lock()
        turn.acquire()
        with self._guard:
            self._queue.append(turn)
            if self._queue[0] is turn:
                return True
        if turn.acquire(timeout=max(timeout, 0)):
            return True
        with self._guard:
            if self._queue[0] is turn:  # it came at the last moment
                return True
            self._queue.remove(turn)
            return False

    def release(self) -> None:
        with self._guard:
            self._queue.popleft()
            if self._queue:
                self._queue[0].release()


def _poll(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        else:
            return True


_all: list[WriteLock] = []


def _forget_all() -> None:
    for lock in _all:
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)
