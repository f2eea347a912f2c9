"""contracts/README.md, "Rules for all five": hostile bodies, at every call that takes one."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from chatplatform import dialects
from chatplatform.dialects.fields import Input, Query
from chatplatform.tests.store import everything, new_conversation

#: Enough for every call (what a call does not know it ignores), so that the hostile part alone is wrong.
GOOD = {
    "title": "Where is my parcel?", "content": "Hello", "session_name": "ses_acme", "email": "nobody@example.com",
    "password": "not the password", "refresh": "no token",
}  # fmt: skip
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


def calls() -> Iterator[tuple[str, str, str]]:
    """(dialect, method, path) of everything that may have a body, as discovery finds it."""
    for dialect in dialects.discover():
        for pattern in dialect.urls:
            path = "/".join(part for part in (f"/{dialect.prefix}", str(pattern.pattern)) if part).rstrip("/")
            if not str(pattern.pattern).endswith("/"):
                for method in pattern.callback.actions:
                    if method in ("post", "put", "patch", "delete"):
                        yield dialect.name, method.upper(), path


CALLS = sorted(set(calls()))
ENVELOPES = {
    "accounts": [{"detail"}],
    "whatsapp": [{"error", "details"}, {"error"}],
    "assistant": [{"success", "message"}, {"success", "message", "errors"}],
}


def with_extra(value: bytes) -> bytes:
    return json.dumps(GOOD).encode()[:-1] + b', "x": ' + value + b"}"


def assert_refused(answer: Any, dialect: str, statuses: set[int], what: Any) -> None:
    assert answer.status_code in statuses, (what, answer.status_code, answer.content)
    assert answer["Content-Type"] == "application/json", what
    assert set(answer.json()) in ENVELOPES[dialect], what
    assert "Traceback" not in answer.content.decode()


def test_every_call_is_found():
    names = {(method, path) for _, method, path in CALLS}
    assert ("POST", "/api/chat/create") in names
    assert ("POST", "/api/auth/token") in names
    assert ("PATCH", "/chat/conversations/<str:id>") in names
    assert len(names) >= 9


@pytest.mark.parametrize(("dialect", "method", "path"), CALLS, ids=[f"{m} {p}" for _, m, p in CALLS])
def test_a_hostile_body_is_refused_and_writes_nothing(maya, dialect, method, path):
    """a 4xx in the dialect's envelope, never a 5xx, and nothing is written"""
    path = path.replace("<str:id>", str(new_conversation(maya)))
    before = everything()
    for name, value in VALUES.items():
        assert_refused(maya(method, path, with_extra(value)), dialect, {400}, name)
    for name, body in WHOLE.items():
        assert_refused(maya(method, path, body), dialect, {400}, name)
    for size in (LIMIT + 1, 2 * LIMIT + 7):
        body = with_extra(b'"' + b"x" * size + b'"')
        assert_refused(maya(method, path, body), dialect, {413}, size)
        assert_refused(maya(method, path, b"[" * size), dialect, {413}, size)
    assert everything() == before


@pytest.mark.parametrize(("dialect", "method", "path"), CALLS, ids=[f"{m} {p}" for _, m, p in CALLS])
def test_another_content_type_is_415(maya, client, dialect, method, path):
    """A body with another content type: 415 in the dialect's envelope; a call without a body needs none"""
    path = path.replace("<str:id>", str(new_conversation(maya)))
    before = everything()
    body = json.dumps(GOOD).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", "",
                 "application/jsonp", "application/vnd.api+json", "text/json"):  # fmt: skip
        answer = client.generic(method, path, body, content_type=kind, headers=maya.headers)
        assert_refused(answer, dialect, {415}, kind)
    assert everything() == before
    for kind in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"):
        answer = client.generic(method, path, b"", content_type=kind, headers=maya.headers)
        assert answer.status_code != 415, kind
    assert client.generic(method, path, b"", content_type="text/plain", headers=maya.headers).status_code != 415


def test_at_the_limits_a_body_is_taken(maya):
    """at most 1 MiB, nested at most 20 deep"""
    padding = LIMIT - len(with_extra(b'""'))
    largest = with_extra(b'"' + b"x" * padding + b'"')
    assert len(largest) == LIMIT
    for body in (largest, with_extra(b"[" * 19 + b"]" * 19), with_extra(b"9007199254740991"), with_extra(b"1e308"),
                 with_extra(rb'"\ud83d\ude00"'), with_extra(b"-0.0"), b" \r\n\t" + with_extra(b"1")):  # fmt: skip
        assert maya.post("/chat/conversations", body).status_code == 200, body[:200]
    assert maya.post("/chat/conversations", with_extra(b'"' + b"x" * (padding + 1) + b'"')).status_code == 413


def fields(dialect: str) -> list[str]:
    """Every field that any call of the dialect takes in a body."""
    module = import_module(f"chatplatform.dialects.{dialect}.inputs")
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Input)]
    return sorted({name for kind in kinds if not issubclass(kind, Query) for name in kind().fields})


WRONG = [7, 1.5, True, [], {}, [[{}]], "", "x" * 70_000, None]


@pytest.mark.parametrize(("dialect", "method", "path"), [call for call in CALLS if call[1] in ("POST", "PUT")], ids=str)
def test_no_type_of_any_field_is_a_5xx(maya, dialect, method, path):
    """wrong types, over-long strings: a 4xx, and nothing is written"""
    path = path.replace("<str:id>", str(new_conversation(maya)))
    refused = []
    for field in fields(dialect):
        for value in WRONG:
            answer = maya(method, path, {**GOOD, field: value})
            assert answer.status_code < 500, (field, value, answer.content)
            if answer.status_code >= 400:
                assert_refused(answer, dialect, set(range(400, 500)), (field, value))
                refused.append({**GOOD, field: value})
    before = everything()
    for body in refused[::7]:
        maya(method, path, body)
    assert everything() == before
