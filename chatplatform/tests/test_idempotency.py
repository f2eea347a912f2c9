"""contracts/README.md: every write honours an optional `Idempotency-Key`, whichever dialect it is of."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import RequestFactory
from rest_framework.response import Response

from chatplatform.db.alone import number_of
from chatplatform.dialects import base
from chatplatform.dialects.operations import operation
from chatplatform.dialects.parsing import JSONRenderer
from chatplatform.dialects.permissions import Anyone
from chatplatform.errors import Conflict
from chatplatform.tests import world as cast
from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.store import everything
from chatplatform.tests.world import World
from clients.models import IdempotencyKey
from clients.tokens import digest
from conftest import Api, database_environment

#: Nothing of `accounts` is kept, and no answer that shows a secret once.
UNKEPT = [call for call in CALLS if call.writes and (call.dialect == "accounts" or call.operation.secret)]
KEPT = [call for call in CALLS if call.writes and call not in UNKEPT]
CONFLICT = {"platform": 422}
INVALID = {"platform": 422, "workspace": 422}
KEY = "order-7/retry#1"
every_kept_write = pytest.mark.parametrize("call", KEPT, ids=str)


@pytest.fixture
def mine(acme: Any) -> World:
    return World(acme)


def send(call: Call, world: World, key: str | None = KEY, *, body: Any = ..., slash: str = "") -> Any:
    """The example call of the table, with the key."""
    named = {} if key is None else {"Idempotency_Key": key}
    given = cast.example(call).body(world) if body is ... else body
    path, _, query = cast.path(call, world).partition("?")
    path += slash + (f"?{query}" if query else "")
    return Api(cast.headers(call, world))(call.method, path, given, **named)


def same(one: Any, other: Any) -> bool:
    names = ("Content-Type", "Cache-Control", "Allow")
    return (one.status_code, one.content, [one.get(name) for name in names]) == (
        other.status_code, other.content, [other.get(name) for name in names],
    )  # fmt: skip


def assert_conflict(answer: Any, call: Call) -> None:
    assert answer.status_code == CONFLICT.get(call.dialect, 409), answer.content
    assert answer["Content-Type"] == "application/json"
    assert "Idempotency-Key" in answer.content.decode() or call.dialect == "workspace"


def test_every_write_is_declared() -> None:
    assert [call for call in CALLS if call.operation is None] == []
    assert len(KEPT) >= 7


@pytest.mark.contract("README: Every write honours an optional `Idempotency-Key` header")
@every_kept_write
def test_a_retry_gets_the_first_answer_and_changes_nothing(mine: World, call: Call) -> None:
    first = send(call, mine)
    assert 200 <= first.status_code < 300, first.content
    assert first.status_code == call.operation.status
    before = everything()
    assert same(send(call, mine), first)
    # What counts is what the body says, not how it is written.
    given = cast.example(call).body(mine)
    respelt = b"{ }" if given is None else json.dumps(dict(reversed(given.items())), indent=1).encode()
    assert same(send(call, mine, body=respelt, slash="/"), first)
    assert everything() == before


@every_kept_write
def test_another_body_is_a_conflict(mine: World, call: Call) -> None:
    assert send(call, mine).status_code < 300
    before = everything()
    for more in ({"extra": 1}, {"extra": 1.0}, {"extra": True}):
        assert_conflict(send(call, mine, body={**(cast.example(call).body(mine) or {}), **more}), call)
    assert everything() == before


@every_kept_write
def test_another_path_is_a_conflict(mine: World, call: Call) -> None:
    others = [other for other in KEPT if other.dialect == call.dialect and str(other) != str(call)]
    assert send(call, mine).status_code < 300
    before = everything()
    for other in others:
        answer = send(other, mine)
        if answer.status_code not in (401, 403):  # another kind of credential is another caller
            assert_conflict(answer, other)
    assert everything() == before


@every_kept_write
def test_another_callers_key_is_another(mine: World, rival: Any, call: Call) -> None:
    theirs = World(rival)
    first = send(call, mine)
    before = {model: len(rows) for model, rows in everything().items()}
    answer = send(call, theirs)
    assert answer.status_code == first.status_code
    assert len(everything()["Event"]) >= before["Event"]
    assert IdempotencyKey.objects.count() == 2
    assert same(send(call, mine), first)
    assert same(send(call, theirs), answer)


class Failing:
    """What happens to the first answer that is to be written down."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.render = JSONRenderer.render

    def __call__(self, renderer: Any, *args: Any) -> bytes:
        error, self.error = self.error, None
        if error is not None:
            raise error
        return self.render(renderer, *args)


@pytest.mark.parametrize("call", [call for call in KEPT if not call.operation.apart], ids=str)
@pytest.mark.parametrize("error", [ZeroDivisionError("x"), Conflict("No")], ids=["crash", "refusal"])
def test_an_error_is_not_kept_and_undoes_the_write(
    mine: World, call: Call, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here after the write was done, while its answer is written: nothing of it stays."""
    cast.headers(call, mine)
    before = everything()
    failing = Failing(error)
    monkeypatch.setattr(JSONRenderer, "render", lambda *args: failing(*args))
    answer = send(call, mine)
    assert answer.status_code in (500, 409, 400), answer.content
    assert everything() == before
    answer = send(call, mine, body={**(cast.example(call).body(mine) or {}), "extra": 1})
    assert answer.status_code == call.operation.status  # the key is as good as new
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("call", [call for call in KEPT if call.operation.apart], ids=str)
def test_an_error_of_a_call_of_several_transactions_is_not_kept(mine: World, call: Call, monkeypatch: Any) -> None:
    """What it had stored stays; the key is as good as new, and the retry finds what is there already."""
    failing = Failing(ZeroDivisionError("x"))
    monkeypatch.setattr(JSONRenderer, "render", lambda *args: failing(*args))
    assert send(call, mine).status_code == 500
    assert not IdempotencyKey.objects.exists()
    before = everything()
    answer = send(call, mine)
    assert answer.status_code == call.operation.status
    kept = everything()
    assert len(kept.pop("IdempotencyKey")) == 1
    before.pop("IdempotencyKey")
    assert kept == before


@pytest.mark.parametrize("call", [*KEPT, *UNKEPT], ids=str)
def test_a_malformed_key_is_a_validation_error(mine: World, call: Call) -> None:
    """1 to 255 visible ASCII characters, else a validation error"""
    headers, body = cast.headers(call, mine), cast.example(call).body(mine)
    content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    before = everything()
    for key in ("", " ", "a b", "x" * 256, "é", "\x7f", "ключ", "a\tb", "a\0"):
        factory = RequestFactory(HTTP_IDEMPOTENCY_KEY=key.encode().decode("latin-1"), headers=headers)
        answer = handle(factory.generic(call.method, cast.path(call, mine), **content))
        assert answer.status_code == INVALID.get(call.dialect, 400), answer.content
        assert "Idempotency-Key" in answer.content.decode()
    assert everything() == before


def handle(request: Any) -> Any:
    """As a server would: the test client refuses some headers itself."""
    from django.core.handlers.base import BaseHandler

    handler = BaseHandler()
    handler.load_middleware()
    return handler.get_response(request)


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted"'])
def test_any_visible_key_is_taken(mine: World, key: str) -> None:
    [call] = [call for call in KEPT if str(call) == "POST /chat/conversations"]
    first = send(call, mine, key)
    assert first.status_code == 200
    assert same(send(call, mine, key), first)


def test_a_key_lasts_24_hours_and_longer_than_the_token(clock: Any, mine: World) -> None:
    """only successes are kept, for 24 hours; who has a new token is the same caller"""
    [call] = [call for call in KEPT if str(call) == "POST /chat/conversations"]
    first = send(call, mine)
    for hours in (7, 8, 8.999):  # an access token is good for 8
        clock.shift(timedelta(hours=hours))
        mine.__dict__.pop("access")
        assert same(send(call, mine), first)
    clock.shift(timedelta(hours=0.001))
    second = send(call, mine)
    assert second.status_code == 200
    assert second.content != first.content
    assert same(send(call, mine), second)


@pytest.mark.contract("README: The caller is the credential")
def test_two_users_of_a_client_are_two_callers(mine: World, api: Callable[..., Api]) -> None:
    answers = [
        api(user).post("/chat/conversations", {"title": "x"}, Idempotency_Key=KEY) for user in (mine.owner, mine.other)
    ]
    assert len({answer.content for answer in answers}) == 2


def test_a_read_takes_no_notice(mine: World) -> None:
    [call] = [call for call in CALLS if str(call) == "GET /chat/conversations"]
    first = send(call, mine)
    mine.conversation.delete()
    assert send(call, mine).content != first.content
    assert send(call, mine, "not a key").status_code == 200
    assert not IdempotencyKey.objects.exists()


@pytest.mark.contract("README: answers that show a secret once are not (nor anything of `accounts`)")
def test_nothing_of_accounts_is_kept(acme: Any, api: Callable[..., Api]) -> None:
    body = {"email": acme.staff.user.email, "password": acme.staff.password}
    pairs = [api().post("/api/auth/token", body, Idempotency_Key=KEY) for _ in range(2)]
    assert [pair.status_code for pair in pairs] == [200, 200]
    assert pairs[0].json()["refresh"] != pairs[1].json()["refresh"]
    for _ in range(2):  # a spent token stays spent
        api().post("/api/auth/token/refresh", {"refresh": pairs[0].json()["refresh"]}, Idempotency_Key=KEY)
    again = api().post("/api/auth/token/refresh", {"refresh": pairs[0].json()["refresh"]}, Idempotency_Key=KEY)
    assert again.status_code == 401
    assert not IdempotencyKey.objects.exists()


class Odd(base.DialectView):
    """A dialect of two calls: one shows a secret, one answers its refusal instead of raising it."""

    permission_classes = [Anyone]
    shown: list[int] = []

    def key_owner(self) -> str:
        return "user:1"

    def error_body(self, problem: Any) -> dict[str, Any]:
        return {"wrong": problem.code}

    @operation("Make a key", answer=dict, status=201, secret=True)
    def reveal(self, request: Any) -> Response:
        self.shown.append(len(self.shown))
        return Response({"secret": len(self.shown)}, status=201)

    @operation("Refuse", answer=dict)
    def refuse(self, request: Any) -> Response:
        IdempotencyKey.objects.create(caller="written", status=200, body=b"")
        return Response({"no": True}, status=418)


def test_an_answer_that_shows_a_secret_is_not_kept(db: None) -> None:
    view = Odd.as_view({"post": "reveal"})
    answers = [view(RequestFactory().generic("POST", "/", headers={"Idempotency-Key": KEY})) for _ in range(2)]
    assert [answer.data["secret"] for answer in answers] == [1, 2]
    assert not IdempotencyKey.objects.exists()


def test_a_refusal_that_is_answered_undoes_the_write_too(db: None) -> None:
    view = Odd.as_view({"post": "refuse"})
    answer = view(RequestFactory().generic("POST", "/", headers={"Idempotency-Key": KEY}))
    assert (answer.status_code, answer.data) == (418, {"no": True})
    assert not IdempotencyKey.objects.exists()


REUSED, RUNNING = "Idempotency-Key was used for another request", "A request with this Idempotency-Key is still running"
LARAVEL = "The Idempotency-Key header was used for another request."
#: A create of each dialect; what it says of a key that was used for another request; while the first runs.
WORDS: dict[str, tuple[str, tuple[int, Any], tuple[int, Any]]] = {
    "assistant": (
        "POST /chat/conversations",
        (409, {"success": False, "message": REUSED}),
        (409, {"success": False, "message": RUNNING}),
    ),
    "platform": (
        "POST /api/v1/chat/conversations",
        (422, {"message": LARAVEL, "errors": {"Idempotency-Key": [LARAVEL]}}),
        (409, {"message": RUNNING}),
    ),
    "rooms": (
        "POST /api/conversation",
        (409, {"status": 409, "error": REUSED}),
        (409, {"status": 409, "error": RUNNING}),
    ),
    "whatsapp": (
        "POST /api/chat/create",
        (409, {"error": "Conflict", "details": REUSED}),
        (409, {"error": "Conflict", "details": RUNNING}),
    ),
    "workspace": (
        "POST /v1/conversations",
        (409, {"error": {"code": "1006", "message": "Conflict", "details": REUSED}}),
        (409, {"error": {"code": "1006", "message": "Conflict", "details": RUNNING}}),
    ),
}  # fmt: skip


@contextmanager
def running(call: Call, world: World) -> Iterator[None]:
    """Elsewhere, the first request with the key."""
    token = world.tenant.api_token.token.pk
    session = f"session:{digest(world.client.session_id)}:"
    caller = {"workspace": f"token:{token}", "whatsapp": session}.get(call.dialect, f"user:{world.owner.pk}")
    number = number_of(caller, digest(KEY))
    if connection.vendor == "sqlite":
        assert connection.numbered_locks.acquire(number)
        try:
            yield
        finally:
            connection.numbered_locks.release(number)
    else:
        with psycopg.connect(database_environment()["DATABASE_URL"]) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [number])
            yield


@pytest.mark.contract("README: Every write honours an optional `Idempotency-Key` header", "workspace: idempotency key")
@pytest.mark.parametrize("dialect", sorted(WORDS))
def test_the_words_of_each_dialect(mine: World, dialect: str) -> None:
    path, reused, busy = WORDS[dialect]
    [call] = [call for call in KEPT if str(call) == path]
    cast.headers(call, mine)
    before = everything()
    with running(call, mine):
        answer = send(call, mine)
        assert (answer.status_code, answer.json()) == busy
    assert everything() == before
    assert send(call, mine).status_code == call.operation.status
    answer = send(call, mine, body={**cast.example(call).body(mine), "extra": 1})
    assert (answer.status_code, answer.json()) == reused
