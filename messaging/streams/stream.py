"""One subscriber's stream as bytes, for an event loop or for a thread."""

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator

from django.conf import settings

from clients.callers import Caller

from . import frames
from .hub import hub
from .slots import slots
from .subscription import Subscription
from .voice import Voice

#: Seconds between two signs of life.
HEARTBEAT = 15.0
_threads = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


class EventStream:
    """Subscribes when it is first iterated, and not any more once that is closed, cancelled or at its end.
    It counts as open from the beginning until then, or until it is forgotten without having been iterated.

    `again` asks anew whose the credential is, and raises BadCredential once it is nobody's. Raises TooManyCalls.
    """

    def __init__(self, voice: Voice, caller: Caller, again: Callable[[], Caller], cursor: str | None) -> None:
        self._over = weakref.finalize(self, slots.give_back, slots.take(caller))  # called twice, it runs once
        self._given = (voice, caller, again, cursor)

    async def frames(self) -> AsyncIterator[bytes]:
        """To be closed (`contextlib.aclosing`) by whoever stops before its end."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        subscription = Subscription(*self._given)

        def wake() -> None:  # by the hub's thread
            try:
                loop.call_soon_threadsafe(woken.set)
            except RuntimeError:  # the loop is closed
                subscription.end()

        subscription.wake = wake
        try:
            yield frames.opening()
            hub.join(subscription)
            while True:
                if chunk := subscription.take():
                    if subscription.state == "behind":
                        hub.poke()  # there is room for more
                    yield chunk
                elif subscription.ended:
                    return
                else:
                    try:
                        async with asyncio.timeout(HEARTBEAT):
                            await woken.wait()
                        woken.clear()
                    except TimeoutError:
                        if chunk := subscription.heartbeat():
                            yield chunk
        finally:
            hub.leave(subscription)
            self._over()

    def blocking_frames(self) -> Iterator[bytes]:
        """The same for a server without an event loop; holds its thread. Half of the threads are for other
        calls: where the other half is taken it ends at once, and says when to come again."""
        try:
            if not _threads.acquire(blocking=False):
                yield frames.opening(frames.LATER)
                return
            try:
                yield from self._blocking()
            finally:
                _threads.release()
        finally:
            self._over()

    def _blocking(self) -> Iterator[bytes]:
        woken = threading.Event()
        subscription = Subscription(*self._given)
        subscription.wake = woken.set
        try:
            yield frames.opening()
            hub.join(subscription)
            while True:
                if chunk := subscription.take():
                    if subscription.state == "behind":
                        hub.poke()  # there is room for more
                    yield chunk
                elif subscription.ended:
                    return
                elif woken.wait(HEARTBEAT):
                    woken.clear()
                elif chunk := subscription.heartbeat():
                    yield chunk
        finally:
            hub.leave(subscription)
