"""Every way in which an endpoint of the OpenAI protocol has no answer, and what such errors look like in the field."""

import gzip
import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from messaging.tests.llm import Asked, Handler, chunks, completion

Behave = Callable[[Handler, Asked], Any]
_REFUSAL = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}


def _both(handler: Handler, asked: Asked, body: Any) -> None:
    if asked.streams:
        handler.send(f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode(), "text/event-stream")
    else:
        handler.send_json(body)


@cache
def _bomb(pack: Callable[[bytes], bytes]) -> bytes:
    """Small on the wire, and 20 MB when it is unpacked."""
    return pack(b" " * 20_000_000)


def _half(handler: Handler, asked: Asked) -> None:
    """It has begun to answer, and perhaps to bill."""
    body = chunks("It left this morning.") if asked.streams else json.dumps(completion("It left")).encode()
    handler.send_response(200)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:40])
    handler.drop()


def _then_an_error(handler: Handler, asked: Asked) -> None:
    if asked.streams:
        body = chunks("It left", ends=False) + f"data: {json.dumps(_REFUSAL)}\n\n".encode()
        handler.send(body, "text/event-stream")
    else:
        handler.send_json(_REFUSAL, 500)


#: As hosted and local endpoints tell that they will not: the status, the body.
ERRORS: dict[str, tuple[int, Any]] = {
    "an error of the server": (500, _REFUSAL),
    "a wrong request": (400, {"error": {"message": "too long", "type": "invalid_request_error", "param": "messages"}}),
    "a filter": (400, {"error": {"code": "content_filter", "innererror": {"content_filter_result": {}}}}),
    "a refused key": (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}),
    "a country": (403, {"error": {"code": "unsupported_country_region_territory"}}),
    "an unknown model": (404, {"error": "model 'm' not found, try pulling it first"}),
    "a time-out of theirs": (408, {"detail": "timeout"}),
    "a conflict": (409, {"object": "error", "message": "busy", "code": 409}),
    "too much": (413, "Payload too large"),
    "validation": (422, {"detail": [{"loc": ["body", "model"], "msg": "field required"}]}),
    "no quota": (429, {"error": {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}}),
    "a gateway": (504, {"message": "upstream request timeout"}),
    "overload": (529, {"type": "error", "error": {"type": "overloaded_error"}}),
    "nothing at all": (503, None),
    "a list": (500, ["no"]),
    "an odd status": (299, {"choices": []}),
}


def _error(status: int, body: Any) -> Behave:
    return lambda handler, asked: handler.send_json(body, status)


FAILURES: dict[str, Behave] = {
    **{name: _error(status, body) for name, (status, body) in ERRORS.items()},
    "a page": lambda h, a: h.send(b"<html>Bad gateway</html>", "text/html", 502),
    "a page that is fine": lambda h, a: h.send(b"<html>Hello</html>", "text/html"),
    "an elsewhere": lambda h, a: h.send(b"", status=307, location=f"{h.server.url}/chat/completions"),
    "broken JSON": lambda h, a: h.send(b'{"choices": [{"mess' if not a.streams else b'data: {"choices": [{"del\n\n'),
    "deep JSON": lambda h, a: h.send(b"[" * 100_000 if not a.streams else b"data: " + b"[" * 100_000 + b"\n\n"),
    "no body": lambda h, a: h.send(b""),
    "no choices": lambda h, a: _both(h, a, {"id": "c1", "choices": []}),
    "choices that are none": lambda h, a: _both(h, a, {"choices": [None, 7, "x"]}),
    "a list as the answer": lambda h, a: _both(h, a, [1, 2]),
    "a number": lambda h, a: _both(h, a, 7),
    "an error in a 200": lambda h, a: _both(h, a, {"error": {"message": "overloaded"}}),
    "an error on the way": _then_an_error,
    "no text": lambda h, a: h.send_json(completion(None)) if not a.streams else h.send(chunks(" ")),
    "a tool": lambda h, a: _both(h, a, completion(None, tool_calls=[{"id": "1", "type": "function"}])),
    "a stream for a whole one, and the reverse": lambda h, a: (
        h.send_json(completion("Hello")) if a.streams else h.send(chunks("Hello"), "text/event-stream")
    ),
    "invalid UTF-8": lambda h, a: h.send(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'),
    "a NUL": lambda h, a: h.say("a\0b", a),
    "a lone surrogate": lambda h, a: h.say("a\ud800b", a),
    "a book": lambda h, a: h.say("word" * 20_000, a),
    "a connection that breaks": lambda h, a: h.drop(),
    "half an answer": _half,
    "compressed": lambda h, a: h.send(b"\x1f\x8b\x08" + bytes(100), content_encoding="gzip"),
    "a bomb": lambda h, a: h.send(_bomb(gzip.compress), content_encoding="gzip"),
    "a bomb of another kind": lambda h, a: h.send(_bomb(zlib.compress), content_encoding="deflate"),
    "a bomb that says nothing of it": lambda h, a: h.send(_bomb(gzip.compress)),
    "10 MB": lambda h, a: h.send(b" " * 10_000_000 if not a.streams else b": x\n" * 2_500_000),
    "a head of 1 MB": lambda h, a: h.send(b"{}", x="y" * 1_000_000),
}  # fmt: skip

_DRIPPED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + b": x\n" * 9999
SLOW: dict[str, Behave] = {
    "hangs": lambda h, a: h.hang(),
    "drips its head": lambda h, a: h.drip(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000),
    "drips its body": lambda h, a: h.drip(_DRIPPED),
}
