"""What names resolve to. The system's look-up cannot be given up once it was begun, so each has a thread, and
nobody more than a share of them."""

import asyncio
import contextlib
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

_LOOKUPS = 64  # at the same time
_OF_TENANT = 16
_OF_NAME = 4  # of a tenant's: its other names go on

Found = list[tuple[Any, ...]]


class Names:
    """For one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, "webhook-names")
        #: Kept as long as somebody waits or looks.
        self._shares: WeakValueDictionary[tuple[int, str], asyncio.Semaphore] = WeakValueDictionary()

    async def find(self, host: str, port: int, tenant: int) -> Found:
        """Its socket addresses. Raises OSError, UnicodeError. Who gives up waiting leaves the thread to its look-up,
        and with it the share."""
        taken: list[asyncio.Semaphore] = []
        try:
            for key, size in (((tenant, host), _OF_NAME), ((tenant, ""), _OF_TENANT)):
                share = self._share(key, size)
                await share.acquire()
                taken.append(share)
            look = self._threads.submit(_look, host, port)
        except BaseException:
            _give_back(taken)
            raise
        loop = asyncio.get_running_loop()

        def ended(_: Future[Found]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_give_back, taken)

        look.add_done_callback(ended)
        return await asyncio.wrap_future(look)

    def _share(self, key: tuple[int, str], size: int) -> asyncio.Semaphore:
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = asyncio.Semaphore(size)
        return share

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look(host: str, port: int) -> Found:
    return [where for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _give_back(shares: list[asyncio.Semaphore]) -> None:
    for share in shares:
        share.release()
