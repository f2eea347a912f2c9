"""How many streams may be open in this process: of one caller, and of all of one client (docs/events.md)."""

import threading
from collections import Counter
from queue import SimpleQueue

from django.conf import settings

from chatplatform.errors import TooManyCalls
from clients.callers import Caller

#: Seconds; one of those that are open may have ended by then.
WAIT = 10
Names = tuple[str, ...]


class Slots:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        #: A stream may end anywhere, in a garbage collection too: what it gives back waits for no lock.
        self._ended: SimpleQueue[Names] = SimpleQueue()

    def take(self, caller: Caller) -> Names:
        """To be given back once. Raises TooManyCalls."""
        most = _most(caller)
        with self._lock:
            self._count()
            if any(self._open[name] >= limit for name, limit in most.items()):
                raise TooManyCalls(WAIT)
            self._open.update(most.keys())
        return tuple(most)

    def give_back(self, names: Names) -> None:
        self._ended.put(names)

    def __len__(self) -> int:
        """Open streams, whoever's."""
        with self._lock:
            self._count()
            return sum(count for name, count in self._open.items() if not name.startswith("client:"))

    def _count(self) -> None:
        while not self._ended.empty():  # this lock's holder alone takes from it
            for name in self._ended.get_nowait():
                self._open[name] -= 1
                if not self._open[name]:
                    del self._open[name]


def _most(caller: Caller) -> dict[str, int]:
    """A user's are one number through all dialects and the admin, as their calls are."""
    who = f"user:{caller.user_id}" if caller.user_id is not None else f"token:{caller.token_id}"
    most = {who: settings.STREAMS_PER_CALLER}
    if caller.client_id is not None:
        most[f"client:{caller.client_id}"] = settings.STREAMS_PER_CLIENT
    return most


slots = Slots()
