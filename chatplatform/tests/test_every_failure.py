"""A crash anywhere inside a call, at every call that discovery finds: the dialect's own 500 (or 503), its
reference in the log, nothing of the inside shown, and nothing written."""

import logging
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from rest_framework.authentication import BaseAuthentication

from chatplatform.dialects.parsing import JSONRenderer
from chatplatform.errors import ProviderUnavailable
from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.prepared import Prepared
from chatplatform.tests.store import everything
from chatplatform.tests.world import World
from clients.actions import NewTenant
from clients.credentials import known
from messaging.bots.knowledge import Knowledge

every_call = pytest.mark.parametrize("call", CALLS, ids=str)
RENDERED = [call for call in CALLS if call.operation.status != 204 and not call.operation.streams]
Rows = dict[tuple[str, Any], dict[str, Any]]
_OWN_STATEMENTS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


@pytest.fixture
def send(acme: NewTenant, call: Call) -> Prepared:
    return Prepared(call, World(acme))


@pytest.fixture
def assert_crash(caplog: pytest.LogCaptureFixture) -> Callable[[Any], None]:
    caplog.set_level(logging.ERROR)

    def check(answer: Any) -> None:
        assert (answer.status_code, answer["Content-Type"]) == (500, "application/json"), answer.content
        assert answer["X-Request-Id"]
        shown = answer.content.decode()
        [reference] = set(re.findall(r"\b[0-9a-f]{32}\b", shown))
        assert reference in caplog.text
        for inside in ("ZeroDivision", "SELECT", "/srv", "Traceback", ".py"):
            assert inside not in shown

    return check


def broken() -> Exception:
    """A new one each time: one that is raised again keeps every traceback that it ever had."""
    return ZeroDivisionError("SELECT secret FROM clients_user -- /srv/app.py")


def crash(*args: Any, **kwargs: Any) -> Any:
    raise broken()


@pytest.mark.contract("README: 500 never shows a traceback", "README: Every error, 404 for an unknown path")
@pytest.mark.parametrize("call", [call for call in CALLS if call.view.authentication_classes], ids=str)
def test_a_crash_while_the_credential_is_looked_at(
    send: Prepared, call: Call, monkeypatch: pytest.MonkeyPatch, assert_crash: Any
) -> None:
    for kind in call.view.authentication_classes:
        assert issubclass(kind, BaseAuthentication)
        monkeypatch.setattr(kind, "authenticate", crash)
    before = everything()
    assert_crash(send())
    assert everything() == before


@pytest.mark.contract("README: 500 never shows a traceback", "README: Every error, 404 for an unknown path")
@pytest.mark.parametrize(
    "call", [call for call in CALLS if call.operation.status != 204 and not call.operation.streams], ids=str
)
def test_a_crash_while_the_answer_is_written(
    send: Prepared, call: Call, monkeypatch: pytest.MonkeyPatch, assert_crash: Any
) -> None:
    monkeypatch.setattr(JSONRenderer, "render", crash)
    assert_crash(send())


def away() -> Exception:
    return OperationalError("server closed the connection: SELECT secret")


class Failing:
    """Something breaks at one statement; those that end a transaction still come through."""

    def __init__(self, at: int = -1, error: Callable[[], Exception] = away) -> None:
        self.left, self.failed, self.error = at, False, error

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(_OWN_STATEMENTS):
            if self.left == 0:
                self.failed = True
                raise self.error()
            self.left -= 1
        return execute(sql, params, many, context)


def break_at_each_statement(
    send: Prepared,
    headers: dict[str, str],
    error: Callable[[], Exception],
    *,
    or_whole: bool,
) -> set[int]:
    """Tries until nothing breaks any more, then it does it all. Answers the statuses of those that broke."""
    before, statuses = rows(), set()
    _, whole = attempt(send, headers, Failing(), before)
    for at in range(200):
        failing = Failing(at, error)
        answer, difference = attempt(send, headers, failing, before)
        if not failing.failed:
            break
        statuses.add(answer.status_code)
        assert answer["Content-Type"] == "application/json"
        assert "SELECT" not in answer.content.decode()
        assert difference == {} or (difference == whole and or_whole), at
    assert not failing.failed
    assert (answer.status_code, difference) == (send.call.operation.status, whole)
    return statuses


@pytest.mark.contract("behaviour: Database away or disk full")
@pytest.mark.parametrize("call", [call for call in CALLS if not call.operation.apart], ids=str)
def test_the_database_goes_away_at_each_statement(send: Prepared, call: Call) -> None:
    """503 in the dialect's envelope, nothing half written: nothing at all, or, where only the answer could
    not be made any more, everything"""
    statuses = break_at_each_statement(send, send.headers, away, or_whole=True)
    assert statuses <= {500 if call.dialect == "platform" else 503}


@pytest.mark.contract("README: Every write honours an optional `Idempotency-Key` header")
@pytest.mark.parametrize("with_key", [False, True])
@pytest.mark.parametrize("call", [call for call in CALLS if call.operation.apart], ids=str)
def test_a_crash_at_each_statement_of_a_call_of_several_transactions(
    send: Prepared, call: Call, with_key: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing, the customer's message alone, which a retry finds there, or everything. From the statement on nothing
    comes through: a key's row may stay, which says that it runs, and runs out."""
    headers = {**send.headers, **({"Idempotency-Key": "k1"} if with_key else {})}
    with monkeypatch.context() as patch:
        patch.setattr(Knowledge, "answer", unavailable)
        answer, half = attempt(send, headers, Failing(), rows())
    assert answer.status_code == 502
    assert half.pop("AgentUsage") == 1
    assert half["Message"] == 1
    _, done = attempt(send, send.headers, Failing(), rows())
    before, statuses = rows(), set()
    for at in range(200):
        failing = Failing(at, broken)
        answer, difference = attempt(send, headers, failing, before)
        if not failing.failed:
            break
        statuses.add(answer.status_code)
        running = difference.pop("IdempotencyKey", 0)
        assert difference in ({}, half, done), at
        assert running in ((0, 1) if with_key else (0,))
    assert not failing.failed
    assert (statuses, answer.status_code) == ({500}, call.operation.status)
    assert difference == ({**done, "IdempotencyKey": 1} if with_key else done)


def unavailable(*args: Any) -> Any:
    raise ProviderUnavailable("away")


@pytest.mark.contract("README: Every write honours an optional `Idempotency-Key` header")
@pytest.mark.parametrize(
    "call",
    [call for call in CALLS if call.writes and call.view.keeps_answers and not call.operation.apart],
    ids=str,
)
def test_a_crash_at_each_statement_of_a_write_with_a_key(send: Prepared, call: Call) -> None:
    """Nothing at all: a whole write has its answer, which a retry gets."""
    headers = {**send.headers, "Idempotency-Key": "k1"}
    assert break_at_each_statement(send, headers, broken, or_whole=False) == {500}


def attempt(send: Prepared, headers: dict[str, str], failing: Failing, before: Rows) -> tuple[Any, dict[str, int]]:
    """The answer, and how many rows of each table it added, changed or removed; undone again."""
    with transaction.atomic():
        with connection.execute_wrapper(failing):
            answer = send(headers=headers)
        transaction.set_rollback(False)  # where no transaction of the call's own was there to be rolled back
        after = rows()
        transaction.set_rollback(True)
    known.clear()
    touched = [key[0] for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    return answer, dict(Counter(touched))


def rows() -> Rows:
    """But for when a credential was last used: that is remembered apart from what it is used for."""
    return {
        (model, row["id"]): {name: value for name, value in row.items() if name != "last_used_at"}
        for model, found in everything().items()
        for row in found
    }
