"""A request's body for a thread that reads it, while the event loop receives it: no more than is asked for."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
#: Bytes up to which a body is received before a thread is given to the call; slow senders hold none until then.
SMALL = 64 * 1024


def has_body(environ: dict[str, Any]) -> bool:
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


async def input_of(environ: dict[str, Any], receive: Receive) -> Any:
    """`wsgi.input`. Where the client goes early it holds less than was said."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > SMALL:
        return Incoming(receive)
    body, more = b"", True
    while more and len(body) < int(length):  # Granian says "more" of a body that is whole; each message costs
        message = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
    return io.BytesIO(body)


class Incoming:
    """Each call waits for what it asks for. At the end of the body, or of the client, it is short."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._loop = receive, asyncio.get_running_loop()
        self._held, self._more = bytearray(), True

    def read(self, size: int = -1) -> bytes:
        while self._more and (size < 0 or len(self._held) < size):
            self._next()
        return self._take(len(self._held) if size < 0 else size)

    def readline(self, size: int = -1) -> bytes:
        while (end := self._held.find(b"\n")) < 0 and self._more and (size < 0 or len(self._held) < size):
            self._next()
        length = end + 1 if end >= 0 else len(self._held)
        return self._take(length if size < 0 else min(length, size))

    def _next(self) -> None:
        message = asyncio.run_coroutine_threadsafe(self._one(), self._loop).result()
        self._held += message.get("body", b"")
        self._more = bool(message.get("more_body"))  # not where the client has gone

    async def _one(self) -> dict[str, Any]:
        return await self._receive()

    def _take(self, size: int) -> bytes:
        with memoryview(self._held) as held:
            taken = bytes(held[:size])
        del self._held[:size]
        return taken
