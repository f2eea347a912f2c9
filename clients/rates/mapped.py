"""Counts in a file that all server processes of one machine map into their memory.

For SQLite with several of them. It is memory to each: nothing waits for the disk. A key has its bucket
of places; where all of a bucket are taken by open windows (tens of thousands of callers in a minute),
the one that ends first is forgotten.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .store import WINDOW, Limit, Standing, runs

_PLACE = struct.Struct("=16sdI4x")  # digest of the key, the window's end, calls
_IN_BUCKET = 16
_BUCKETS = 4096
_SIZE = _PLACE.size * _IN_BUCKET * _BUCKETS  # 2 MiB


class Mapped:
    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, _SIZE)
        self._memory = mmap.mmap(self._file, _SIZE)
        self._thread = threading.Lock()

    def spend(self, limit: Limit, unless: Limit | None) -> Standing:
        with self._alone():
            now = time.time()
            for one in (unless, limit):
                place, ends, spent = self._find(one.key, now) if one else (0, 0.0, 0)
                if one and spent >= one.most:
                    return Standing(one, False, spent, ends, ends - now)
            if not spent:
                ends = now + WINDOW
            _PLACE.pack_into(self._memory, place, _digest(limit.key), ends, spent + 1)
            return Standing(limit, True, spent + 1, ends, ends - now)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._thread:  # the file's lock is the process's
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _find(self, key: str, now: float) -> tuple[int, float, int]:
        """A key's place, the end of its window and its calls; without an open window the place for one."""
        digest = _digest(key)
        first = int.from_bytes(digest[:8], "big") % _BUCKETS * _IN_BUCKET * _PLACE.size
        free: list[tuple[float, int]] = []
        for place in range(first, first + _IN_BUCKET * _PLACE.size, _PLACE.size):
            known, ends, spent = _PLACE.unpack_from(self._memory, place)
            if not runs(ends, now):
                free.append((0.0, place))
            elif known == digest:
                return place, ends, spent
            else:
                free.append((ends, place))
        return min(free)[1], 0.0, 0


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
