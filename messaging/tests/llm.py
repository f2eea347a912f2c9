"""An endpoint of the OpenAI protocol that answers from a script: real sockets, a thread a connection."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clients import actions
from clients.actions import rules_changed
from clients.models import Agent, Client


@dataclass
class Asked:
    """One call as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def text(self) -> str:
        """Everything that was sent."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def question(self) -> str:
        """Without its fence."""
        return self.body["messages"][-1]["content"].split("\n", 1)[1].rsplit("\n", 1)[0]


def completion(text: str | None, *, tokens: tuple[int, int] | None = (20, 10), **message: Any) -> dict[str, Any]:
    usage = {} if tokens is None else {"usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}}
    said = {"role": "assistant", "content": text, **message}
    choices = [{"index": 0, "message": said, "finish_reason": "stop"}]
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, **usage}


def chunks(text: str, *, tokens: tuple[int, int] | None = (20, 10), ends: bool = True) -> bytes:
    """A stream, a word a chunk."""
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    words = [word + " " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    rows: list[dict[str, Any]] = [
        {**base, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in words
    ]
    if ends:
        rows.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if tokens is not None:
            usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
            rows.append({**base, "choices": [], "usage": usage})
    sent = "".join(f"data: {json.dumps(row)}\n\n" for row in rows)
    return (sent + ("data: [DONE]\n\n" if ends else "")).encode()


class Handler(BaseHTTPRequestHandler):
    server: "Endpoint"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, json.loads(raw))
        with self.server.guard:
            self.server.asked.append(asked)
        self.server.behave(self, asked)

    def say(self, text: str, asked: Asked) -> None:
        if asked.streams:
            self.send(chunks(text), "text/event-stream")
        else:
            self.send_json(completion(text))

    def send_json(self, body: Any, status: int = 200, **headers: str) -> None:
        self.send(json.dumps(body).encode(), "application/json", status, **headers)

    def send(self, body: bytes, media: str = "application/json", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", media)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang(self) -> None:
        self.server.ended.wait(60)
        self.close_connection = True

    def drip(self, body: bytes) -> None:
        """A byte now and then, for ever."""
        for byte in body:
            self.wfile.write(bytes([byte]))
            if self.server.ended.wait(0.05):
                break
        self.close_connection = True

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    def log_message(self, *args: Any) -> None:
        pass


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, behave: Callable[[Handler, Asked], None] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave or (lambda handler, asked: handler.say("It left this morning.", asked))
        self.asked: list[Asked] = []
        self.guard = threading.Lock()
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # whoever called has gone


@contextmanager
def serving(behave: Callable[[Handler, Asked], None] | None = None) -> Iterator[Endpoint]:
    endpoint = Endpoint(behave)
    thread = threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.ended.set()
        endpoint.shutdown()
        endpoint.server_close()
        thread.join(10)


def agent_at(client: Client, url: str, **columns: Any) -> Agent:
    """An AI agent of that endpoint, the client's default one."""
    Agent.objects.filter(client=client, is_default=True).update(is_default=False)
    given = {
        "agent_id": "bot", "name": "Bot", "kind": Agent.Kind.AI, "provider": Agent.Provider.OPENAI, "base_url": url,
        "model": "m", "timeout": 60, "is_default": True, "price_in": "0.150000", "price_out": "0.600000", **columns,
    }  # fmt: skip
    agent = actions.create_agent(client=client, **given)
    rules_changed(client.pk)
    return agent
