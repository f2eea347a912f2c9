"""Counts in the memory of one process."""

import threading
import time
from collections import OrderedDict

from .store import WINDOW, Limit, Standing, runs


class Memory:
    def __init__(self) -> None:
        #: key → (the window's end, calls); the oldest windows are in front, since all last as long.
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, limit: Limit, unless: Limit | None) -> Standing:
        with self._lock:
            now = time.time()
            self._drop_ended(now)
            for one in (unless, limit):
                ends, spent = self._windows.get(one.key, (0.0, 0)) if one else (0.0, 0)
                if one and runs(ends, now) and spent >= one.most:
                    return Standing(one, False, spent, ends, ends - now)
            if not runs(ends, now):
                ends, spent = now + WINDOW, 0
                self._windows.pop(limit.key, None)  # to the end of the line
            self._windows[limit.key] = (ends, spent + 1)
            return Standing(limit, True, spent + 1, ends, ends - now)

    def _drop_ended(self, now: float) -> None:
        while self._windows:
            ends, _ = next(iter(self._windows.values()))
            if runs(ends, now):
                return
            self._windows.popitem(last=False)

    def __len__(self) -> int:
        return len(self._windows)
