"""Streams of events: how soon a subscriber is told of a message, and what it costs to ring the bell for one."""

import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from bench import load
from bench.rounds import Sample
from bench.servers import Server
from clients.models import User
from conversations.models import Conversation

SLICE = 2.0  # seconds
#: The settings of a server that tells nobody of its commits.
SILENT = {"DJANGO_SETTINGS_MODULE": "bench.silent_settings"}


@dataclass
class Told:
    """Milliseconds until a subscriber had a message: from its answer (which follows its commit), and from
    when it was sent, which is no less than from its commit."""

    after_answer: list[float]
    after_sending: list[float]

    def line(self, name: str) -> str:
        figures = [
            f"{statistics.median(times):8.1f} {sorted(times)[int(len(times) * 0.99)]:8.1f}"
            for times in (self.after_answer, self.after_sending)
        ]
        return f"{name.ljust(24)} {'  '.join(figures)}"


HEAD = (
    f"{'until it is told of'.ljust(24)} {'after its answer':>17}  {'after sending':>17}\n"
    f"{''.ljust(24)} {'p50 ms':>8} {'p99 ms':>8}  {'p50 ms':>8} {'p99 ms':>8}"
)


class Subscriber:
    """Remembers when each message came."""

    def __init__(self, port: int, token: str) -> None:
        self.came: dict[int, float] = {}
        self._changed = threading.Condition()
        self._line = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._line.sendall(load.request("GET", "/chat/events", token))
        self._lines = self._read()
        while next(self._lines) != b"event: ready":
            pass
        threading.Thread(target=self._follow, daemon=True).start()

    def _read(self) -> Iterator[bytes]:
        rest = b""
        with contextlib.suppress(OSError):  # closed
            while received := self._line.recv(65536):
                *lines, rest = (rest + received).split(b"\n")
                yield from lines

    def _follow(self) -> None:
        for line in self._lines:
            if line.startswith(b"data: ") and b'"message":{"id":' in line:
                now, body = time.perf_counter(), orjson.loads(line[6:])
                with self._changed:
                    self.came[body["message"]["id"]] = now
                    self._changed.notify()

    def wait_for(self, message: int) -> float:
        with self._changed:
            if not self._changed.wait_for(lambda: message in self.came, timeout=30):
                raise TimeoutError("the subscriber was not told within 30 s")
            return self.came[message]

    def close(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()


def soon(server: Server, tokens: dict[int, str], *, count: int) -> Told:
    """One message after the other, each when the last one has arrived."""
    row = Conversation.objects.filter(status="active", owner__in=tokens).order_by("pk")[0]
    token = tokens[row.owner_id or 0]
    subscriber = Subscriber(server.port, token)
    told = Told([], [])
    try:
        for number in range(count):
            body = orjson.dumps({"content": f"Number {number}"})
            sent = time.perf_counter()
            status, answer = load.ask(
                server.port, load.request("POST", f"/chat/conversations/{row.pk}/messages", token, body)
            )
            answered = time.perf_counter()
            if status != 200:
                raise RuntimeError(f"{status} {answer[:300]!r}")
            came = subscriber.wait_for(orjson.loads(answer)["data"]["message_id"])
            told.after_answer.append(max(came - answered, 0.0) * 1000)
            told.after_sending.append((came - sent) * 1000)
    finally:
        subscriber.close()
    return told


def soon_among_others(server: Server, tokens: dict[int, str], sends: list[bytes], *, count: int, clients: int) -> Told:
    """The same while others send as fast as they are answered."""
    over = threading.Event()

    def press() -> None:
        while not over.is_set():
            load.drive(server.port, sends, clients=clients, seconds=0.5)

    others = threading.Thread(target=press)
    others.start()
    try:
        return soon(server, tokens, count=count)
    finally:
        over.set()
        others.join()


def cost(
    servers: dict[str, Server], sends: list[bytes], *, rounds: int, clients: int
) -> dict[str, tuple[float, float, float]]:
    """For each server: sends a second, and the CPU of one in ms, the server's and PostgreSQL's."""
    samples = {name: Sample() for name in servers}
    for server in servers.values():
        load.drive(server.port, sends, clients=clients, seconds=1)
    for turn in range(rounds):
        names = list(servers) if turn % 2 == 0 else list(servers)[::-1]
        for name in names:
            samples[name].add(servers[name], sends, clients, SLICE)
    made = {name: sample.round(0, "send", name) for name, sample in samples.items()}
    if errors := [one.first_error for one in made.values() if one.errors]:
        raise RuntimeError(errors[0])
    return {name: (one.rate, one.server_cpu, one.database_cpu or 0.0) for name, one in made.items()}


COST_HEAD = f"{'a message sent'.ljust(24)} {'req/s':>8} {'CPU server':>11} {'CPU db':>8}"


def cost_line(name: str, rate: float, server_cpu: float, database_cpu: float) -> str:
    return f"{name.ljust(24)} {rate:8,.0f} {server_cpu:11.2f} {database_cpu:8.2f}"


def measure(tokens: dict[int, str], sends: list[bytes], start: Any, *, count: int, rounds: int, clients: int) -> str:
    """`start(**environment)` starts a server. What was found, as text."""
    started: list[Server] = []
    try:
        started.append(ringing := start())
        started.append(silent := start(**SILENT))
        lines = [HEAD, soon(ringing, tokens, count=count).line("one at a time")]
        among = soon_among_others(ringing, tokens, sends, count=count, clients=clients)
        lines.append(among.line(f"{clients} others send too"))
        lines.append(f"\n{COST_HEAD}")
        found = cost({"bell": ringing, "no bell": silent}, sends, rounds=rounds, clients=clients)
        listener = Subscriber(ringing.port, tokens[User.objects.filter(pk__in=tokens).order_by("pk")[0].pk])
        found |= cost({"bell, and a stream": ringing}, sends, rounds=rounds, clients=clients)
        listener.close()
    finally:
        for server in started:
            server.stop()
    for name, (rate, server_cpu, database_cpu) in found.items():
        lines.append(cost_line(name, rate, server_cpu, database_cpu))
    return "\n".join(lines)
