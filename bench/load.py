"""The load: keep-alive clients over raw sockets, one request in flight each, in one thread.

A request costs it some 30 µs, so that one core's tenth drives thousands a second.
"""

import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Result:
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)  # seconds
    errors: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] * 1000 if ordered else 0.0


class _Client:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.started = 0.0
        self.received = b""

    def send(self, request: bytes) -> None:
        self.received = b""
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer as soon as it is there."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.received = self.received + data if self.received else data
        return self.received if _is_whole(self.received) else None


def _is_whole(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        stop = head.find(b"\r\n", at + 2)
        return len(answer) - end - 4 >= int(head[at + 17 : stop if stop > 0 else end])
    return answer.endswith(b"0\r\n\r\n")  # chunked


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{length}\r\n"
    return head.encode() + body


def drive(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Result:
    """Sends the requests round and round for that long; every answer but a 200 is an error."""
    result = Result()
    everyone = {client.socket.fileno(): client for client in (_Client(port) for _ in range(clients))}
    poll = select.epoll()
    began = time.perf_counter()
    stop = began + seconds
    following = 0
    for number, client in everyone.items():
        poll.register(number, select.EPOLLIN)
        client.send(requests[following % len(requests)])
        following += 1
    busy = len(everyone)
    while busy:
        ready = poll.poll(30)
        if not ready:
            result.errors.append("no answer within 30 s")
            break
        for number, _ in ready:
            client = everyone[number]
            try:
                answer = client.receive()
            except OSError as error:
                result.errors.append(str(error))
                poll.unregister(number)
                busy -= 1
                continue
            if answer is None:
                continue
            now = time.perf_counter()
            if answer[9:12] == b"200":
                result.latencies.append(now - client.started)
            else:
                result.errors.append(answer[:300].decode(errors="replace"))
            if now < stop:
                client.send(requests[following % len(requests)])
                following += 1
            else:
                busy -= 1
    result.seconds = time.perf_counter() - began
    for client in everyone.values():
        client.socket.close()
    poll.close()
    return result


def ask(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own: the status and the body."""
    client = _Client(port)
    client.send(request)
    while (answer := client.receive()) is None:
        pass
    client.socket.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = _unchunked(body)
    return int(answer[9:12]), body


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2 :] if length else b""
    return whole
