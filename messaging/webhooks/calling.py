"""One call of an endpoint, cut off after its time, whatever the receiver does."""

import asyncio
import logging
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import httpcore2
from django.conf import settings
from django.utils import timezone

from .addresses import Refused, allows_private, parse
from .dialing import PublicNetwork, Resolve
from .schedule import asked_delay
from .signing import signed_head

BODY_LIMIT = 64 * 1024  # bytes that are read of an answer
KEPT_BODY = 4 * 1024
_KEPT_HEAD = 8 * 1024  # characters
_GRACE = 1.0  # seconds for the body of an answer whose head says that the delivery was taken
_GONE = 410
_BUSY = frozenset({429, 503})

logger = logging.getLogger(__name__)


@dataclass
class Outcome:
    at: datetime
    milliseconds: int = 0
    status: int | None = None  # None: no answer
    error: str = ""
    request_head: dict[str, str] = field(default_factory=dict)
    response_head: dict[str, str] = field(default_factory=dict)
    response_body: str = ""
    asked_delay: float | None = None  # seconds

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == _GONE

    @property
    def asked_hold(self) -> float | None:
        """For how many seconds the receiver asked for no call at all."""
        return self.asked_delay if self.status in _BUSY else None


class Caller:
    """Calls from one event loop. No redirect is followed, no proxy, cookie or `.netrc` is known, no connection is
    used twice, and no body is decompressed."""

    def __init__(self, resolve: Resolve | None = None, context: ssl.SSLContext | None = None) -> None:
        self._network = PublicNetwork(resolve, context)

    async def call(self, url: str, delivery: UUID, body: str, secrets: list[str], tenant: int) -> Outcome:
        """Never raises: what goes wrong is the outcome."""
        outcome = Outcome(timezone.now())
        begun = time.monotonic()
        outcome.request_head = signed_head(delivery, body, secrets, outcome.at.astimezone(UTC))
        try:
            async with asyncio.timeout(settings.WEBHOOK_TIMEOUT):
                await self._exchange(outcome, url, body, tenant)
        except Refused as error:
            outcome.error = f"refused: {error}"
        except TimeoutError:
            if not outcome.is_taken:
                outcome.status, outcome.error = None, f"no answer within {settings.WEBHOOK_TIMEOUT:g} s"
        except Exception as error:
            _failed(outcome, error)
        outcome.milliseconds = round((time.monotonic() - begun) * 1000)
        if not outcome.error and not outcome.is_taken:
            outcome.error = f"answered {outcome.status}"
        return outcome

    async def _exchange(self, outcome: Outcome, url: str, body: str, tenant: int) -> None:
        target, host = _target(url, allows_private())
        head = {"host": host, "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
        sent = {**head, **outcome.request_head}
        outcome.request_head = sent
        stream = await self._network.connect(target.origin, tenant)
        try:
            await self._speak(outcome, stream, target, list(sent.items()), body.encode())
        finally:
            await stream.aclose()

    async def _speak(
        self,
        outcome: Outcome,
        stream: httpcore2.AsyncNetworkStream,
        target: httpcore2.URL,
        head: list[tuple[str, str]],
        body: bytes,
    ) -> None:
        connection = httpcore2.AsyncHTTP11Connection(target.origin, stream)
        async with connection.stream("POST", target, headers=head, content=body) as response:
            _keep_head(outcome, response.headers)
            outcome.status = response.status  # from here on it is known whether the delivery was taken
            if outcome.is_taken:
                try:
                    async with asyncio.timeout(_GRACE):
                        outcome.response_body = await _some_of(response)
                except TimeoutError:
                    pass
            else:
                outcome.response_body = await _some_of(response)

    async def close(self) -> None:
        self._network.close()


@lru_cache(maxsize=1024)
def _target(url: str, private: bool) -> tuple[httpcore2.URL, str]:
    """Where a call goes, and the name that it asks for; `private`: as addresses are judged now. Raises Refused."""
    parsed = parse(url)
    target = httpcore2.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)
    return target, parsed.netloc.decode("ascii")


async def _some_of(response: httpcore2.Response) -> str:
    read = bytearray()
    async for part in response.aiter_stream():
        read += part
        if len(read) > BODY_LIMIT:
            break
    return bytes(read[:KEPT_BODY]).decode(errors="replace").replace("\0", "\ufffd")


def _keep_head(outcome: Outcome, headers: list[tuple[bytes, bytes]]) -> None:
    kept: dict[str, str] = {}
    room = _KEPT_HEAD
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").replace("\0", "\ufffd")
        if name == "retry-after":
            outcome.asked_delay = asked_delay(value, outcome.at)
        room -= len(name) + len(value)
        if room >= 0:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    outcome.response_head = kept


def _failed(outcome: Outcome, error: Exception) -> None:
    if outcome.is_taken:
        return  # what breaks off after the head was taken all the same
    words = {
        httpcore2.ConnectTimeout: "no connection in time",
        httpcore2.ConnectError: "no connection",
        httpcore2.ReadError: "the connection broke off",
        httpcore2.WriteError: "the connection broke off",
        httpcore2.RemoteProtocolError: "the answer is not HTTP",
    }
    known = next((said for kind, said in words.items() if isinstance(error, kind)), None)
    if known is None:
        logger.warning("a webhook call failed: %s", type(error).__name__)
    outcome.error = f"{known or type(error).__name__}: {error}"[:255].replace("\0", "\ufffd").rstrip(": ")
