"""A program of a client that is told of events: a real listener on 127.0.0.1 that answers as it is told to."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conversations.feed import Told
from messaging.webhooks.delivering import Deliverer


def render(events: list[Told]) -> dict[int, str]:
    """Bodies that say which event of which conversation they are."""
    return {
        event["id"]: json.dumps({"event": event["kind"], "conversation": event["conversation_id"], **event["data"]})
        for event in events
    }


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: str
    status: int = 0

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    server: "Receiver"

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        raw = self.rfile.read(size)
        if len(raw) < size:
            return  # the caller was killed before it had said all
        body = raw.decode()
        call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.behave(self, call)

    do_GET = do_POST

    def answer(self, call: Call, status: int = 204, body: bytes = b"", **headers: str) -> None:
        call.status = status
        with self.server.guard:
            self.server.calls.append(call)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, call: Call) -> None:
        """It came and is not answered."""
        with self.server.guard:
            self.server.calls.append(call)

    def log_message(self, *args: Any) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, behave: Callable[[Handler, Call], None] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave or (lambda handler, call: handler.answer(call))
        self.calls: list[Call] = []
        self.connections = 0
        self.guard = threading.Lock()
        self.ended = threading.Event()  # whoever hangs ends with it
        self.url = f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # it was cut off

    @property
    def taken(self) -> list[Call]:
        with self.guard:
            return [call for call in self.calls if 200 <= call.status < 300]


@contextmanager
def receiving(behave: Callable[[Handler, Call], None] | None = None) -> Iterator[Receiver]:
    receiver = Receiver(behave)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        receiver.shutdown()
        receiver.server_close()
        thread.join(10)


@contextmanager
def delivering(**given: Any) -> Iterator[Deliverer]:
    """A worker's deliverer, in a thread of its own."""
    deliverer = Deliverer(given.pop("render", render), **given)
    box: dict[str, Any] = {}
    running = threading.Event()

    async def run() -> None:
        box["loop"], box["stop"] = asyncio.get_running_loop(), asyncio.Event()
        running.set()
        await deliverer.run(box["stop"])

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            box["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    assert running.wait(10)
    try:
        yield deliverer
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join(60)
        assert not thread.is_alive()
        if "error" in box:
            raise box["error"]
