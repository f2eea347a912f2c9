"""What the production server calls: our WSGI application in a few threads, and event streams beside it.

Each call goes to one of WEB_THREADS threads, which keep their database connections. An answer that has an
`event_stream` gives its thread back at once: an event loop goes on with `event_stream.frames()` until the
client goes or the server ends, thousands of them in one process.

ASGI puts every call on the loop first. Two more changes of threads a call cost a tenth of it, so
scheduling.py takes calls from Granian before they get there; what has a body comes by the loop, which
receives it.
"""

import asyncio
import contextlib
import io
import logging
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from queue import SimpleQueue
from typing import Any

from django.conf import settings

from chatplatform import wsgi

from .bodies import Receive, has_body, input_of
from .environ import environ_of
from .scheduling import give_calls_to

logger = logging.getLogger("chatplatform.server")
Headers = list[tuple[str, str]]
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
_END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


class Call:
    """One request; `watcher` is Granian's, which is told when it is over."""

    __slots__ = ("_send", "_start", "_watcher", "environ", "loop", "receive")

    def __init__(self, watcher: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._watcher, self.loop = watcher, loop
        self.receive: Receive = watcher.proto.receive
        self._send: Send = watcher.proto.send
        self.environ = environ_of(watcher.scope)
        self._start: Message = {}

    def run(self, application: Any) -> Any:
        """In a thread. The stream of events that is left to send, if one is."""
        try:
            if (stream := self._answer(application)) is not None:
                return stream
        except BaseException:
            logger.exception("a call broke outside of Django")
        self._watcher.done()
        return None

    def _answer(self, application: Any) -> Any:
        result = application(self.environ, self._start_response)
        try:
            if (stream := getattr(result, "event_stream", None)) is not None:
                return stream
            if not isinstance(result, list) and getattr(result, "streaming", True):
                self._give(result)
                return None
            body = b"".join(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        self._send(self._start)  # these two wait for nothing
        self._send({"type": "http.response.body", "body": body, "more_body": False})
        return None

    def _start_response(self, status: str, headers: Headers, _: Any = None) -> None:
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._start = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}

    def _give(self, chunks: Any) -> None:
        """A long answer: the next piece is made when the last one is on its way, and none for a client that went."""
        self._send(self._start)
        gone = asyncio.run_coroutine_threadsafe(_gone(self.receive), self.loop)
        try:
            if self.environ["REQUEST_METHOD"] != "HEAD":
                for chunk in chunks:
                    if gone.done():
                        return
                    if chunk:
                        self._wait_to_send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            gone.cancel()
            self._wait_to_send(_END)

    def _wait_to_send(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(_send(self._send, message), self.loop).result()

    async def stream(self, stream: Any) -> None:
        """On the loop, until the events or the client end, or the task is cancelled."""
        self.environ = {}
        pump = asyncio.ensure_future(_pump(self._start, stream.frames(), self._send))
        gone = asyncio.ensure_future(_gone(self.receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done() and not gone.done() and (error := pump.exception()) is not None:
                logger.error("a stream of events broke", exc_info=error)
        finally:
            pump.cancel()
            gone.cancel()
            await asyncio.wait({pump, gone})
            with contextlib.suppress(TimeoutError):  # a client that reads nothing
                async with asyncio.timeout(1):
                    await self._send(_END)
            self._watcher.done()


class Front:
    """An application of ASGI, of which Granian itself calls only the lifespan."""

    def __init__(self, application: Any, threads: int) -> None:
        self._application, self._threads = application, threads
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: set[asyncio.Task[None]] = set()
        self._ending = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            raise NotImplementedError("every call is taken before it is one of ASGI")
        await receive()
        self._begin_work(asyncio.get_running_loop())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _begin_work(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the main thread: Granian's own signal handlers are there by now, and stay."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: loop.call_soon_threadsafe(self._end_streams))
            signal.siginterrupt(one, False)
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"calls {number + 1}", daemon=True).start()
        give_calls_to(lambda watcher: self.take(watcher, loop))

    def take(self, watcher: Any, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of Granian's."""
        try:
            call = Call(watcher, loop)
        except Exception:
            logger.exception("a call that is none")
            watcher.done()
            return
        if has_body(call.environ):
            loop.call_soon_threadsafe(self._begin, self._receive(call), self._tasks)
        else:
            call.environ["wsgi.input"] = io.BytesIO()
            self._calls.put(call)

    async def _receive(self, call: Call) -> None:
        call.environ["wsgi.input"] = await input_of(call.environ, call.receive)
        self._calls.put(call)

    def _begin(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        """On the loop, which itself would forget it."""
        task = asyncio.ensure_future(work)
        among.add(task)
        task.add_done_callback(among.discard)
        if self._ending and among is self._streams:
            asyncio.get_running_loop().call_soon(task.cancel)  # not before it has begun: it has an end to make

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            if (stream := call.run(self._application)) is not None:
                call.loop.call_soon_threadsafe(self._begin, call.stream(stream), self._streams)
            del call, stream  # not until the next one comes

    def _end_streams(self) -> None:
        """At once, so that they do not hold up a stop: their clients come back elsewhere."""
        if not self._ending:
            self._ending = True
            for task in self._streams:
                asyncio.get_running_loop().call_soon(task.cancel)


async def _pump(start: Message, frames: AsyncIterator[bytes], send: Send) -> None:
    async with contextlib.aclosing(frames):  # type: ignore[type-var]
        await send(start)
        async for chunk in frames:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, message: Message) -> None:
    await send(message)


application = Front(wsgi.application, settings.WEB_THREADS)
