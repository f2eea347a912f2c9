"""Hostile query strings and headers, at every call that discovery finds: never a 5xx, always the dialect's
own envelope; what a call does not know it takes no notice of."""

from typing import Any

import pytest
from django.test import Client

from chatplatform.dialects.fields import Count
from chatplatform.tests import world as cast
from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.prepared import Prepared
from chatplatform.tests.store import everything
from chatplatform.tests.world import World
from clients.actions import NewTenant
from conftest import Api

every_call = pytest.mark.parametrize("call", CALLS, ids=str)
GUARDED = [call for call in CALLS if call.dialect not in ("accounts", "whatsapp")]
READS = [call for call in CALLS if not call.writes]
#: As they stand in an address.
VALUES = [
    "%00", "a%00b", "%ff", "%C3", "%ED%A0%80", "%u0041", "%", "%%", "+", "%20", "%0A", "-1", "1e3", "0x10", "NaN",
    "Infinity", "true", "null", "[]", "{}", "%EF%BC%91", "9" * 19, "9" * 400, "-" + "9" * 400, "x" * 5000, "1.0", "1;2",
    "%27%20OR%201=1--", "../..", "<script>", "%F0%9F%98%80",
]  # fmt: skip
UNKNOWN = ["%00=%ff", "&&&", "=", "=x", "x", "a[b][]=1", "%ED%A0%80=1", "x=" + "y" * 5000, "&".join(["z=1"] * 900)]
ACCEPT = ["", "application/xml", "text/html;q=0.9", "*/*;q=x", "image/*, text/html", "application/json;q=0", "é", ";;"]


@pytest.fixture
def send(acme: NewTenant, call: Call) -> Prepared:
    return Prepared(call, World(acme))


def assert_decent(answer: Any, what: Any) -> None:
    assert answer.status_code < 500, (what, answer.content)
    assert answer["X-Request-Id"]
    if answer.content:
        assert answer["Content-Type"] == "application/json", what
    shown = answer.content.decode()
    assert "Traceback" not in shown, what
    assert "Error at" not in shown, what


@pytest.mark.contract("README: Malformed JSON, a body that")
@pytest.mark.parametrize("call", [call for call in CALLS if call.operation.query], ids=str)
def test_hostile_values_of_every_parameter(send: Prepared, call: Call) -> None:
    before = everything()
    path, _, query = send.path.partition("?")
    given = dict(part.split("=", 1) for part in query.split("&") if part)
    for name, field in call.operation.query().fields.items():
        for value in VALUES:
            asked = "&".join(f"{key}={one}" for key, one in {**given, name: value}.items())
            answer = send(f"{path}?{asked}")
            assert_decent(answer, (name, value))
            if isinstance(field, Count):
                assert answer.status_code >= 400, (name, value)
        twice = send(f"{path}?{query}&{name}=%00&{name}=%ff")
        assert_decent(twice, (name, "twice"))
    assert everything() == before


@pytest.mark.parametrize("call", READS, ids=str)
def test_what_is_unknown_is_ignored(send: Prepared, call: Call) -> None:
    path, _, query = send.path.partition("?")
    good = send()
    assert good.status_code == 200
    for unknown in UNKNOWN:
        answer = send(f"{path}?{query}&{unknown}")
        assert_decent(answer, unknown)
        assert answer.status_code == 200, unknown


@pytest.mark.parametrize("call", [call for call in CALLS if call.dialect != "accounts" or not call.writes], ids=str)
def test_an_odd_accept_header_is_no_matter(send: Prepared, call: Call) -> None:
    """The documented APIs ignore Accept: the same answer, and no 406 in place of a 401."""
    refused = [Api({})(call.method, send.path, send.body, Accept=accept) for accept in ACCEPT]
    assert {answer.status_code for answer in refused} != {406}
    assert len({(answer.status_code, answer["Content-Type"]) for answer in refused}) == 1
    if not call.writes:
        answers = [send(headers={**send.headers, "Accept": accept}) for accept in ACCEPT]
        assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {(200, call.media)}


@every_call
def test_head_and_methods_of_other_protocols(send: Prepared, client: Client, call: Call) -> None:
    """HEAD is a GET without its content where there is a GET; everything else is 405, never HTML"""
    before = everything()
    taken = {other.method for other in CALLS if other.path == call.path}
    head = Api(send.headers)("HEAD", send.path)
    if call.method == "GET":
        assert (head.status_code, head.content) == (200, b"")
        assert head["Content-Type"] == call.media
    elif "GET" not in taken:
        assert (head.status_code, head.content) == (405, b"")
    for method in ("TRACE", "CONNECT", "PROPFIND", "LOCK", "QUERY", "X", "po st"):
        answer = client.generic(method, send.path, headers=send.headers)
        assert (answer.status_code, answer["Content-Type"]) == (405, "application/json"), method
        assert answer["Allow"]
    assert everything() == before


@every_call
def test_hostile_headers(send: Prepared, call: Call) -> None:
    """Credentials and ids that are no text, or endless: refused like any that is wrong"""
    long = "x" * 20_000
    odd = [
        "", " ", "Bearer", "Bearer ", "Bearer \u00e9", f"Bearer {long}", "Bearer a.b.c", "Basic Og==", long,
    ]  # fmt: skip
    before = everything()
    for value in odd:
        key = {"X-PUBLIC-KEY": send.headers.get("X-PUBLIC-KEY", "x")}
        answer = send(headers={"Authorization": value, "Cookie": f"chat_access={long[:3000]}; chat_refresh=x", **key})
        assert_decent(answer, value)
        if call in GUARDED:
            assert answer.status_code == 401, value
    for value in ("\u00e9", long, "pk_\u00a0", "'; --"):
        answer = send(headers={**send.headers, "X-PUBLIC-KEY": value, "X-Request-Id": value, "Origin": value})
        assert_decent(answer, value)
        if call.dialect == "platform":
            assert answer.status_code == 401, value
    if call.dialect == "platform":
        assert everything() == before


def test_the_table_knows_every_dialect() -> None:
    assert {call.dialect for call in CALLS} <= set(cast.CREDENTIALS)
