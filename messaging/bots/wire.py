"""The connection to a provider: no call outlasts its time or brings more than its bytes, however slowly they come.

A time-out of an HTTP library is one of each read. Here one clock runs from the first byte sent to the last one
read, the head of the answer, TLS and the look-up of the name included.
"""

import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import httpcore2
import httpx2
from httpcore2 import NetworkBackend, NetworkStream, SyncBackend

from .names import look_up

BODY_LIMIT = 2 * 1024 * 1024  # bytes of an answer, its head included


class TooMuch(httpx2.TransportError):
    """More bytes than any answer has."""


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class Deadline:
    """Of one call, all its tries together; begins with the first connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None
        #: Whether anything of an answer has come.
        self.heard = False

    def left(self) -> float:
        """Seconds. Raises httpx2.ReadTimeout once there are none."""
        if self._end is None:
            self._end = time.monotonic() + self._seconds
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpx2.ReadTimeout("no whole answer in time")
        return left


class _Stream(NetworkStream):
    def __init__(self, stream: NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline, self._read = stream, deadline, 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._deadline.left())
        self._read += len(data)
        self._deadline.heard = self._deadline.heard or bool(data)
        if self._read > BODY_LIMIT:
            raise TooMuch(f"the answer has more than {BODY_LIMIT} bytes")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Network(NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._dial, self._deadline = SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        """To the first of its addresses that answers, each of which has its share of the time that is left."""
        found = look_up(host, port, self._deadline.left())
        for place, address in enumerate(found):
            share = self._deadline.left() / (len(found) - place)
            try:
                stream = self._dial.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if address == found[-1]:
                    raise
            else:
                return _Stream(stream, self._deadline)
        raise httpcore2.ConnectError("the name has no address")


_KINDS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (httpcore2.TimeoutException, httpx2.ReadTimeout),
    (httpcore2.ConnectError, httpx2.ConnectError),
    (httpcore2.NetworkError, httpx2.ReadError),
    (httpcore2.ProtocolError, httpx2.RemoteProtocolError),
)


def _as_httpx(error: Exception) -> Exception:
    return next((ours(str(error)) for theirs, ours in _KINDS if isinstance(error, theirs)), error)


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except Exception as error:
            raise _as_httpx(error) from error

    def close(self) -> None:
        self._stream.close()


class Transport(httpx2.BaseTransport):
    """One connection for one call: no proxy of the environment, no redirect, nothing decompressed."""

    def __init__(self, deadline: Deadline) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_tls(), max_keepalive_connections=0, network_backend=_Network(deadline)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        head = [(name, value) for name, value in request.headers.raw if name.lower() != b"accept-encoding"]
        try:
            answer = self._pool.handle_request(
                httpcore2.Request(
                    method=request.method, url=target, headers=[*head, (b"accept-encoding", b"identity")],
                    content=request.stream, extensions={},
                )
            )  # fmt: skip
        except Exception as error:
            raise _as_httpx(error) from error
        headers = httpx2.Headers(answer.headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            answer.close()  # a few bytes of it may be a gigabyte
            raise TooMuch("the answer is compressed, which was not asked for")
        return httpx2.Response(status_code=answer.status, headers=headers, stream=_Body(answer.stream))

    def close(self) -> None:
        self._pool.close()
