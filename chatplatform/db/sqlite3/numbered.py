import fcntl
import os
import threading


class NumberedLocks:
    """Locks that go by a number below 2^62, each with one holder among all threads of all processes.

    A number is an offset in a file that stays empty: the kernel keeps a lock on that byte, and drops
    it when the process is killed. Its locks are the process's, so threads are told apart here.
    """

    def __init__(self, path: str | None) -> None:
        """Without a path (a database in memory) there are only the threads of this process."""
        self._path = path
        self._descriptor: int | None = None
        self._held: set[int] = set()
        self._guard = threading.Lock()
        _all.append(self)

    def acquire(self, number: int) -> bool:
        """Whether the lock is held now; never waits. Raises OSError."""
        with self._guard:
            if number in self._held or not self._lock(number):
                return False
            self._held.add(number)
            return True

    def release(self, number: int) -> None:
        with self._guard:
            if number not in self._held:
                return  # a fork does not hold what its parent holds
            self._held.remove(number)
            if self._descriptor is not None:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)

    def _lock(self, number: int) -> bool:
        if self._path is None:
            return True
        if self._descriptor is None:
            # Never closed: closing any descriptor of the file drops all of the process's locks on it.
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        return True

    def forget(self) -> None:
        """In a fork, which inherits the descriptor but none of the locks."""
        self._held, self._guard = set(), threading.Lock()


_all: list[NumberedLocks] = []


def _forget_all() -> None:
    for locks in _all:
        locks.forget()


os.register_at_fork(after_in_child=_forget_all)
