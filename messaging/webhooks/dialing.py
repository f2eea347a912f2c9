"""Connections that lead nowhere but to the open network: a name is looked up once, every address that it has is
judged, and exactly those are dialled. The name stays in the Host header, the certificate and SNI."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore2
from httpcore2 import AsyncNetworkStream

from .addresses import Refused, check_address, check_host
from .names import Names

#: The addresses of a name, for a tenant.
Resolve = Callable[[str, int, int], Awaitable[list[str]]]
_TRIED = 3  # addresses of a name
_CONNECT = 5.0  # seconds for each


class PublicNetwork:
    """Raises Refused for an address that is not public, httpcore2's errors otherwise."""

    def __init__(self, resolve: Resolve | None = None, context: ssl.SSLContext | None = None) -> None:
        self._context = context or ssl.create_default_context()
        self._names = Names()
        self._resolve = resolve or self._look_up

    async def connect(self, origin: httpcore2.Origin, tenant: int) -> AsyncNetworkStream:
        host = origin.host.decode("ascii")
        check_host(host)
        found = list(dict.fromkeys(await self._resolve(host, origin.port, tenant)))
        addresses = [str(check_address(one)) for one in found]  # all of them: which one is dialled is chance
        secure: dict[str, Any] = {}
        if origin.scheme == b"https":
            secure = {"ssl": self._context, "server_hostname": host}
        error: Exception = httpcore2.ConnectError("the name has no address")
        for address in addresses[:_TRIED]:
            try:
                async with asyncio.timeout(_CONNECT):
                    return Stream(*await asyncio.open_connection(address, origin.port, **secure))
            except TimeoutError:
                error = httpcore2.ConnectTimeout(f"within {_CONNECT:g} s")
            except OSError as failure:
                error = httpcore2.ConnectError(str(failure))
        raise error

    async def _look_up(self, host: str, port: int, tenant: int) -> list[str]:
        try:
            found = await self._names.find(host, port, tenant)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("the name was not found") from error
        if any(len(where) == 4 and where[3] for where in found):
            raise Refused("An address within the network of this server is not allowed.")
        return [str(where[0]) for where in found]

    def close(self) -> None:
        self._names.close()


class Stream(AsyncNetworkStream):
    """A connection of asyncio's, as httpcore2 speaks HTTP over it. Whoever uses it sees to its time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._writer.transport.abort()  # a receiver that takes its time to say goodbye is not waited for

    def get_extra_info(self, info: str) -> None:
        return None
