"""contracts/README.md and behaviour.md, Input, at every call that discovery finds: pages, nulls, unknown
fields, the longest values."""

from collections.abc import Iterator
from typing import Any

import pytest

from chatplatform.dialects.fields import Changes, Count
from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.prepared import Prepared
from chatplatform.tests.store import everything
from chatplatform.tests.world import World
from clients.actions import NewTenant

LISTS = [
    call
    for call in CALLS
    if call.operation.query and any(isinstance(f, Count) for f in call.operation.query().fields.values())
]
TAKING = [call for call in CALLS if call.operation.body is not None]
MAKING = [call for call in TAKING if not issubclass(call.operation.body, Changes)]
INVALID = {"platform": 422, "workspace": 422}


@pytest.fixture
def mine(acme: NewTenant) -> World:
    return World(acme)


@pytest.fixture
def send(call: Call, mine: World) -> Prepared:
    return Prepared(call, mine)


def counts(call: Call) -> dict[str, Count]:
    return {name: field for name, field in call.operation.query().fields.items() if isinstance(field, Count)}


def leaves(data: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in an answer with the name that it stands under; a list is a value."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, key)
    else:
        yield name, data


# --- pages ---


@pytest.mark.contract("README: limit, page, offset: whole", "behaviour: An empty optional query parameter")
@pytest.mark.parametrize("call", LISTS, ids=str)
def test_numbers_of_pages(send: Prepared, call: Call) -> None:
    """whole numbers of at most 18 digits; zero (offset may be 0), negative, longer or non-numeric is an error"""
    for name, field in counts(call).items():
        for bad in ("-1", "x", "1.5", "1e3", "+5", " 1", "1\n", "1" * 19, "１", "true", "\0"):
            answer = send.with_query(**{name: bad})
            assert answer.status_code == INVALID.get(call.dialect, 400), (name, bad)
            assert name in answer.content.decode() or call.dialect == "rooms", (name, bad)
        zero = send.with_query(**{name: "0"})
        assert (zero.status_code == 200) is (field.least == 0)
        assert field.least == (0 if name == "offset" else 1)
        for empty in ("", None):
            assert (send.with_query(**{name: empty}).status_code == 200) is not field.required


@pytest.mark.contract("README: An offset or page past the end")
@pytest.mark.parametrize("call", LISTS, ids=str)
def test_past_the_end(send: Prepared, call: Call) -> None:
    for name in counts(call).keys() & {"offset", "page"}:
        for far in ("1000", "9" * 18):
            answer = send.with_query(**{name: far})
            assert answer.status_code == 200, answer.content
            assert [value for _, value in leaves(answer.json()) if isinstance(value, list)] == [[]]


@pytest.mark.contract("README: limit, page, offset: whole")
@pytest.mark.parametrize("call", LISTS, ids=str)
def test_a_limit_over_the_maximum_is_clamped_to_it(send: Prepared, call: Call) -> None:
    """(100; for messages 500)"""
    of_one = call.path.endswith("/messages") and "/search/" not in call.path
    most = 500 if of_one and call.dialect != "platform" else 100
    unsaid = call.path == "/chat/search"  # its documented answer has none: test_search_api.py
    for name in counts(call).keys() & {"limit", "per_page"}:
        for given, taken in ((str(most), most), (str(most + 1), most), ("9" * 18, most), ("1", 1)):
            answer = send.with_query(**{name: given})
            assert answer.status_code == 200, answer.content
            shown = dict(leaves(answer.json()))
            assert [shown[key] for key in ("limit", "per_page", "pageSize") if key in shown] == (
                [] if unsaid else [taken]
            ), given


# --- bodies ---


@pytest.mark.contract("behaviour: Unknown body fields are ignored")
@pytest.mark.parametrize("call", TAKING, ids=str)
def test_unknown_fields_are_ignored(send: Prepared, call: Call) -> None:
    body = {**send.body, "nickname": [{"x": None}], "client_id": 1, "uuid": "x", "": 0}
    answer = send.with_body(body)
    assert answer.status_code == call.operation.status, answer.content


@pytest.mark.contract("behaviour: In a create, null for")
@pytest.mark.parametrize("call", MAKING, ids=str)
def test_null_for_an_optional_field_means_its_default(send: Prepared, call: Call) -> None:
    body = send.body
    fields = call.operation.body().fields
    nulls = {name: None for name, field in fields.items() if not field.required and name not in body}
    answer = send.with_body({**body, **nulls})
    assert answer.status_code == call.operation.status, answer.content


@pytest.mark.contract("behaviour: In a create, null for")
@pytest.mark.parametrize("call", [call for call in TAKING if call not in MAKING], ids=str)
def test_null_in_an_update_clears_or_is_refused(send: Prepared, call: Call) -> None:
    """clears a field that may be empty and is a validation error for one that may not"""
    for name, field in call.operation.body().fields.items():
        before = everything()
        answer = send.with_body({**(send.body if field.required else {}), name: None})
        if field.allow_null:
            assert answer.status_code == call.operation.status, (name, answer.content)
        else:
            assert answer.status_code == INVALID.get(call.dialect, 400), (name, answer.content)
            assert everything() == before


SAYING = [call for call in CALLS if call.method == "POST" and call.path.endswith("/messages")]
TEXTS: dict[str, Any] = {
    "assistant": lambda text, example: {"content": text},
    "platform": lambda text, example: {"text": text},
    "workspace": lambda text, example: {**example, "type": "text", "text": {"body": text}},
}


@pytest.mark.contract("README: A message's text is at most")
@pytest.mark.parametrize("call", SAYING, ids=str)
def test_the_longest_text(send: Prepared, call: Call) -> None:
    """65,536 UTF-8 bytes in every dialect"""
    example = send.body
    for text in ("x" * 65_536, "é" * 32_768, "😀" * 16_384):
        assert send.with_body(TEXTS[call.dialect](text, example)).status_code == call.operation.status
    before = everything()
    for text in ("x" * 65_537, "é" * 32_768 + "x", "😀" * 16_385):
        answer = send.with_body(TEXTS[call.dialect](text, example))
        assert answer.status_code == {"assistant": 400, "platform": 422, "workspace": 413}[call.dialect]
    assert everything() == before
