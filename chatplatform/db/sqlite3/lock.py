import fcntl
import os
import threading
import time

_POLL = 0.001  # seconds between two looks at another process's lock


class WriteLock:
    """One holder among all threads of all processes; a waiter is never overtaken for long.

    Threads of one process queue on a `threading.Lock`. Its front runner stands in a queue of one
    (`path.next`) before it polls the lock itself, so a process that releases and asks again at once
    cannot pass the one that was waiting. The kernel drops both locks when a process is killed.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread_lock = threading.Lock()
        self._descriptors: tuple[int, int] | None = None
        self._process = 0

    def acquire(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds; whether the lock is held now."""
        deadline = time.monotonic() + timeout
        if not self._thread_lock.acquire(timeout=timeout):
            return False
        holder, queue = self._open()
        if _poll(queue, deadline):
            held = _poll(holder, deadline)
            fcntl.flock(queue, fcntl.LOCK_UN)
            if held:
                return True
        self._thread_lock.release()
        return False

    def release(self) -> None:
        fcntl.flock(self._open()[0], fcntl.LOCK_UN)
        self._thread_lock.release()

    def _open(self) -> tuple[int, int]:
        if self._descriptors is None or self._process != os.getpid():  # a fork must not share descriptors
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            self._descriptors = os.open(self._path, flags, 0o600), os.open(f"{self._path}.next", flags, 0o600)
            self._process = os.getpid()
        return self._descriptors


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
