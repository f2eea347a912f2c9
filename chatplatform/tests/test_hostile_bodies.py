"""contracts/README.md, "Rules for all five": hostile bodies, at every write that discovery finds."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.prepared import Prepared
from chatplatform.tests.store import everything
from chatplatform.tests.world import World
from clients.actions import NewTenant

LIMIT = 1024 * 1024
VALUES = {
    "NaN": b"NaN", "Infinity": b"Infinity", "-Infinity": b"-Infinity", "1e999": b"1e999", "-1e999": b"[-1e999]",
    "NUL": rb'"a\u0000b"', "NUL in a key": rb'{"\u0000": 1}', "lone surrogate": rb'"\ud800"',
    "reversed surrogates": rb'"\udc00\ud800"', "surrogate in a key": rb'{"\udfff": 1}', "2^53": b"9007199254740992",
    "-2^53": b"-9007199254740992", "huge": b"9" * 400, "huger": b"9" * 5000, "depth 21": b"[" * 20 + b"]" * 20,
    "objects of depth 21": b'{"a":' * 20 + b"1" + b"}" * 20, "depth 100,000": b"[" * 100_000 + b"]" * 100_000,
    "duplicate keys": b'{"a": 1, "a": 1}', "duplicates by escape": rb'[{"a": 1, "\u0061": 2}]',
    "not UTF-8": b'"\xff"', "half a character": b'"\xc3"', "UTF-8 of a surrogate": b'"\xed\xa0\x80"',
    "control character": b'"\x01"', "raw newline": b'"\n"', "comment": b"1 /* x */", "trailing comma": b"[1,]",
    "single quotes": b"'x'", "hexadecimal": b"0x10", "leading zero": b"01", "plus": b"+1", "bare word": b"undefined",
}  # fmt: skip
WHOLE = {
    "half": b"{", "nothing but space": b" ", "array": b"[]", "array of one": b"[{}]", "string": b'"x"', "number": b"5",
    "null": b"null", "true": b"true", "two": b"{}{}", "BOM": b"\xef\xbb\xbf{}", "UTF-16": "{}".encode("utf-16"),
    "form": b"title=x&content=y", "XML": b"<title/>", "NUL byte": b"{}\x00", "deep": b'{"a":' * 50_000,
}  # fmt: skip


WRITES = [call for call in CALLS if call.writes]
every_write = pytest.mark.parametrize("call", WRITES, ids=str)


@pytest.fixture
def send(acme: NewTenant, call: Call) -> Prepared:
    return Prepared(call, World(acme))


def with_extra(body: dict[str, Any] | None, value: bytes) -> bytes:
    """The good body and one member more, so that the hostile part alone is wrong."""
    good = json.dumps(body or {}).encode()
    return good[:-1] + (b", " if body else b"") + b'"x": ' + value + b"}"


def assert_refused(answer: Any, statuses: set[int], what: Any) -> None:
    """That it is the dialect's own envelope is looked at by whatever sends (`answers.py`)."""
    assert answer.status_code in statuses, (what, answer.status_code, answer.content)
    assert answer["Content-Type"] == "application/json", what
    assert answer["X-Request-Id"], what
    assert "Traceback" not in answer.content.decode()


@pytest.mark.contract("README: Malformed JSON, a body that", "README: JSON bodies are UTF-8")
@every_write
def test_a_hostile_body_is_refused_and_writes_nothing(send: Prepared, call: Call) -> None:
    """a 4xx in the dialect's envelope, never a 5xx, and nothing is written"""
    before = everything()
    for name, value in VALUES.items():
        assert_refused(send.with_body(with_extra(send.body, value)), {400}, name)
    for name, body in WHOLE.items():
        assert_refused(send.with_body(body), {400}, name)
    for size in (LIMIT + 1, 2 * LIMIT + 7):
        assert_refused(send.with_body(with_extra(send.body, b'"' + b"x" * size + b'"')), {413}, size)
        assert_refused(send.with_body(b"[" * size), {413}, size)
    assert everything() == before


@pytest.mark.contract("README: A body with another content type")
@every_write
def test_another_content_type_is_415(send: Prepared, client: Client, call: Call) -> None:
    """A body with another content type: 415 in the dialect's envelope; a call without a body needs none"""
    before = everything()
    body = json.dumps(send.body or {"x": 1}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", "",
                 "application/jsonp", "application/vnd.api+json", "text/json"):  # fmt: skip
        answer = client.generic(call.method, send.path, body, content_type=kind, headers=send.headers)
        assert_refused(answer, {415}, kind)
    assert everything() == before
    for kind in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"):
        answer = client.generic(call.method, send.path, b"", content_type=kind, headers=send.headers)
        assert answer.status_code != 415, kind
    if "Cookie" not in send.headers:  # with cookies a foreign content type is the mark of another site's form
        answer = client.generic(call.method, send.path, b"", content_type="text/plain", headers=send.headers)
        assert answer.status_code != 415


@pytest.mark.contract("README: JSON bodies are UTF-8")
def test_at_the_limits_a_body_is_taken(maya: Any) -> None:
    """at most 1 MiB, nested at most 20 deep"""
    good = {"title": "Where is my parcel?"}
    padding = LIMIT - len(with_extra(good, b'""'))
    largest = with_extra(good, b'"' + b"x" * padding + b'"')
    assert len(largest) == LIMIT
    extras = [b"[" * 19 + b"]" * 19, b"9007199254740991", b"1e-308", rb'"\ud83d\ude00"', b"-0.0"]
    for body in (largest, *(with_extra(good, extra) for extra in extras), b" \r\n\t" + with_extra(good, b"1")):
        assert maya.post("/chat/conversations", body).status_code == 200, body[:200]
    assert maya.post("/chat/conversations", with_extra(good, b'"' + b"x" * (padding + 1) + b'"')).status_code == 413


WRONG = [7, -1, 1.5, True, [], [7], [None], {}, [[{}]], "", " ", "x" * 70_000, None]


def mutants(call: Call, body: Any) -> Iterator[Any]:
    """The good body with one value of it, at any depth, or one field more, replaced by a wrong one."""
    fields = call.operation.body().fields if call.operation.body else {}
    body = {**dict.fromkeys(fields), **(body or {})}
    for place in places(body):
        for value in WRONG:
            mutant = deepcopy({name: value for name, value in body.items() if value is not None})
            box = mutant
            for step in place[:-1]:
                box = box[step]
            box[place[-1]] = value
            yield mutant


def places(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    if above:
        yield above
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in inside:
        yield from places(part, *above, step)


@pytest.mark.contract("README: Malformed JSON, a body that")
@every_write
def test_no_value_of_any_field_is_a_5xx(send: Prepared, call: Call) -> None:
    """wrong types, over-long strings: a 4xx, and nothing is written"""
    refused = []
    for body in mutants(call, send.body):
        answer = send.with_body(body)
        assert answer.status_code < 500, (body, answer.content)
        if answer.status_code >= 400:
            assert_refused(answer, set(range(400, 500)), body)
            refused.append(body)
    before = everything()
    for body in refused[::5]:
        send.with_body(body)
    assert everything() == before
