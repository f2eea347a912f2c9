"""contracts/README.md, "Rules for all five", at every call of every dialect that discovery finds: who may
come in, what is nobody's business, methods, paths, crashes."""

import logging
import re
from typing import Any

import pytest
from django.db import OperationalError

from chatplatform import dialects
from chatplatform.dialects.base import DialectView
from chatplatform.dialects.permissions import HasCaller
from chatplatform.tests import answers
from chatplatform.tests import world as cast
from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.prepared import Prepared
from chatplatform.tests.store import everything
from chatplatform.tests.world import World, bearer
from clients import actions, tokens
from clients.actions import NewTenant
from clients.credentials import caller_of_api_token
from conftest import Api

every_call = pytest.mark.parametrize("call", CALLS, ids=str)
every_dialect = pytest.mark.parametrize("dialect", dialects.discover(), ids=lambda dialect: dialect.name)
GUARDED = [call for call in CALLS if any(issubclass(one, HasCaller) for one in call.view.permission_classes)]
ADDRESSED = [call for call in CALLS if call.parameters]
#: What an error of each dialect has at least.
ENVELOPES = {dialect.name: dialect.view.errors.__required_keys__ for dialect in dialects.discover()}
SECRET = "SELECT secret FROM /srv/app.py"


@pytest.fixture
def mine(acme: NewTenant) -> World:
    return World(acme)


@pytest.fixture
def send(call: Call, mine: World) -> Prepared:
    return Prepared(call, mine)


def assert_error(answer: Any, dialect: str, status: int) -> None:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json"), answer.content
    assert answer.json().keys() >= ENVELOPES[dialect]


# --- who comes in ---


@pytest.mark.parametrize("call", GUARDED, ids=str)
def test_no_credential_or_another_kind_of_one(mine: World, send: Prepared, call: Call) -> None:
    """none, nonsense, and each credential that is good elsewhere"""
    kinds = {name: credential(mine) for name, credential in cast.CREDENTIALS.items()}
    own = kinds[call.dialect]
    token, cookie = mine.tenant.api_token.secret, {"Cookie": "access=nonsense; sessionid=nonsense"}
    wrong = [{}, cookie, bearer("nonsense"), {"Authorization": "Basic bWF5YTpzZWNyZXQ="}]
    wrong += [] if call.dialect == "workspace" else [bearer(token)]
    good = [own, kinds["rooms"]] if call.dialect == "accounts" else [own]
    wrong += [kind for kind in kinds.values() if not any(one.items() <= kind.items() for one in good)]
    before = everything()
    for headers in wrong:
        without_key = call.dialect == "platform" and "X-PUBLIC-KEY" not in headers
        assert_error(send(headers=headers), call.dialect, 400 if without_key else 401)
    assert everything() == before


@pytest.mark.contract(
    "README: workspace.md | workspace",
    "behaviour: A workspace token: its whole client",
    "behaviour: Token scopes: conversations:read",
    "workspace: 1002 | 403 | Forbidden",
)
@pytest.mark.parametrize("call", [call for call in CALLS if call.dialect == "workspace"], ids=str)
def test_a_workspace_token_needs_the_scope_of_the_call(mine: World, call: Call, send: Prepared) -> None:
    """403 with every other scope, and with that one alone it is done"""
    needed = [call.view.writes] if call.writes else [call.view.reads, *getattr(call.view, "also_reads", ())]
    *others, alone = (
        actions.create_api_token(client=mine.client, name="Some", scopes=scopes).secret
        for scopes in [*([scope for scope in tokens.SCOPES if scope != one] for one in needed), needed]
    )
    for other in others:
        caller_of_api_token(other)  # its use is remembered now
        before = everything()
        refused = send(headers=bearer(other))
        assert (refused.status_code, refused.json()["error"]) == (403, {"code": "1002", "message": "Forbidden"})
        assert everything() == before
    assert send(headers=bearer(alone)).status_code == call.operation.status


# --- what is nobody's business ---


def absent(identifier: str) -> str:
    """An id of the same shape that nobody has."""
    if identifier.isdigit():
        return "999999999"
    alike = re.sub(r"[0-9a-f](?=[0-9a-f-]*$)", "9", identifier)
    return alike if alike != identifier else f"{identifier}9"


@pytest.mark.contract("README: Unknown, foreign and deleted ids", "README: An id of the wrong shape")
@pytest.mark.parametrize("call", ADDRESSED, ids=str)
def test_what_is_not_there_for_the_caller_is_not_there(
    mine: World, rival: NewTenant, send: Prepared, call: Call
) -> None:
    """foreign, absent and misshapen ids: one answer, byte for byte, and nothing is written"""
    theirs = World(rival)
    actions.create_contact(client=rival.client, name="Only theirs", contact_id="only_theirs")
    ids = cast.IDS[call.dialect]
    own = {name: ids[name](mine) for name in call.parameters}
    query = cast.example(call).query  # of what is addressed, only the ids change
    before = everything()
    for name in call.parameters:
        never = send(call.at({**own, name: absent(own[name])}) + query)
        assert 400 <= never.status_code < 500
        foreign = ids[name](theirs)
        others = ["only_theirs" if foreign == own[name] else foreign, "0", "-1", "x", "%00", "%20", "１", "9" * 40]
        for other in others:
            answer = send(call.at({**own, name: other}) + query)
            assert (answer.status_code, answer.content) == (never.status_code, never.content), (name, other)
    assert everything() == before


# --- methods and paths ---


@pytest.mark.contract("README: Every error, 404 for an unknown path")
@every_call
def test_other_methods_are_405(send: Prepared, call: Call) -> None:
    taken = {other.method for other in CALLS if other.path == call.path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - taken:
        answer = Api(send.headers)(method, send.path)
        assert_error(answer, call.dialect, 405)
        assert set(answer["Allow"].split(", ")) >= taken


@pytest.mark.contract("README: Every error, 404 for an unknown path")
@every_dialect
def test_unknown_paths_are_404(db: None, dialect: dialects.Dialect) -> None:
    for end in ("no/such/path/at/all", "a%0Ab/c/d/e/f", "%00/%00/%00/%00/%00", "%ff/x/x/x/x", "no/such/path/at/all/"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert_error(Api({})(method, f"/{dialect.prefix}/{end}"), dialect.name, 404)


@pytest.mark.contract(
    "README: Paths are documented without a trailing slash",
    "README: Every response carries X-Request-Id",
    "README: A response may carry more fields than documented",
)
@every_call
def test_with_a_slash_it_is_the_same_call(send: Prepared, call: Call) -> None:
    """no redirect that loses the body, and the answer fits its schema; the caller's own request id"""
    path, mark, query = send.path.partition("?")
    answer = send(f"{path}/{mark}{query}", headers={**send.headers, "X-Request-Id": "order-7.a_B"})
    assert answer.status_code == call.operation.status, answer.content
    answers.check(call.method, path, answer.status_code, answer.content)
    assert answer["X-Request-Id"] == "order-7.a_B"
    assert len(send(headers={"X-Request-Id": "<script>"})["X-Request-Id"]) == 32


# --- what goes wrong ---


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every declared call raises this error from now on."""

    def fail_with(error: Exception) -> None:
        def perform(*args: Any, **kwargs: Any) -> Any:
            raise error

        monkeypatch.setattr(DialectView, "perform", perform)

    return fail_with


@pytest.mark.contract("README: Every error, 404 for an unknown path", "README: 500 never shows a traceback")
@every_call
def test_a_crash_shows_a_reference_that_is_in_the_log(send: Prepared, call: Call, failing: Any, caplog: Any) -> None:
    before = everything()
    failing(ZeroDivisionError(SECRET))
    with caplog.at_level(logging.ERROR):
        answer = send()
    assert_error(answer, call.dialect, 500)
    [reference] = set(re.findall(r"[0-9a-f]{12,}", answer.content.decode()))
    assert reference in caplog.text
    assert "ZeroDivision" not in answer.content.decode()
    assert "SELECT" not in answer.content.decode()
    assert everything() == before


@pytest.mark.contract("behaviour: Database away or disk full", "behaviour: platform answers its documented 500")
@every_call
def test_a_database_that_is_away(send: Prepared, call: Call, failing: Any) -> None:
    before = everything()
    for text, status in (("connection refused", 503), ("database or disk is full", 507)):
        failing(OperationalError(text))
        answer = send()
        if call.dialect == "platform":
            assert_error(answer, call.dialect, 500)
            assert answer.json()["error"] == "Database connection error"
        else:
            assert_error(answer, call.dialect, status)
            assert answer["Retry-After"].isdigit()
        assert text not in answer.content.decode()
    assert everything() == before
