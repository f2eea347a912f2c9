"""How many of a web process's threads may wait for providers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from chatplatform.errors import ProviderBusy
from clients.models import Agent

from .engines import provider_of

RETRY_AFTER = 5  # seconds


class Places:
    """Half of the threads, so that sending goes on whatever providers do. A process with one thread gives it."""

    def __init__(self, threads: int) -> None:
        self._free = threading.BoundedSemaphore(max(1, threads // 2))

    def take(self) -> "Place":
        """Raises ProviderBusy."""
        if not self._free.acquire(blocking=False):
            raise ProviderBusy(RETRY_AFTER)
        return Place(self._free)


class Place:
    def __init__(self, free: threading.BoundedSemaphore | None) -> None:
        self._free = free

    def give_back(self) -> None:
        """Once, however often it is called."""
        if (free := self._free) is not None:
            self._free = None
            free.release()


_places = Places(settings.WEB_THREADS)


def take_place(agent: Agent) -> Place:
    """For a provider that has a network to wait for. Raises ProviderBusy."""
    return _places.take() if provider_of(agent).is_remote else Place(None)


@contextmanager
def place(agent: Agent) -> Iterator[None]:
    taken = take_place(agent)
    try:
        yield
    finally:
        taken.give_back()
