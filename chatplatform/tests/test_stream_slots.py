"""One caller, or one client, has only so many streams open, and gets the place back however one ends."""

import gc
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client as HttpClient

from chatplatform.errors import TooManyCalls
from chatplatform.tests import world as cast
from chatplatform.tests.following import Follow, following
from chatplatform.tests.world import World, bearer
from clients.actions import NewTenant
from clients.callers import Caller
from clients.credentials import end_log_in, issue_tokens
from conftest import LiveServer
from messaging.streams import renewing
from messaging.streams.hub import hub
from messaging.streams.slots import Slots, slots

pytestmark = pytest.mark.django_db(transaction=True)
#: By dialect: where its stream is, and how it refuses one too many.
STREAMS: dict[str, tuple[str, Any]] = {
    "workspace": ("/v1/events/stream", {"error": {"code": "1005", "message": "Rate Limit Exceeded"}}),
    "assistant": ("/chat/events", {"success": False, "message": "Too many requests"}),
    "platform": ("/api/v1/chat/events", {"message": "Too Many Attempts."}),
    "rooms": ("/api/conversation/events", {"status": 429, "error": "Too many requests"}),
}


@pytest.fixture
def follow() -> Iterator[Follow]:
    yield from following()


@pytest.fixture
def mine(acme: NewTenant) -> World:
    return World(acme)


def refused(path: str, headers: dict[str, str]) -> Any:
    answer = HttpClient().get(path, headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    return answer.json()


@pytest.mark.parametrize("dialect", STREAMS)
def test_one_caller_has_so_many(dialect: str, mine: World, follow: Follow, settings: Any) -> None:
    """the next is refused in the dialect's own words, and nobody else is; a place comes back with its stream"""
    settings.STREAMS_PER_CALLER = 2
    path, words = STREAMS[dialect]
    headers = cast.CREDENTIALS[dialect](mine)
    first, second = follow(path, headers), follow(path, headers)
    for _ in range(3):
        assert refused(path, headers) == words
        assert (len(slots), len(hub)) == (2, 2)
    assert HttpClient().head(path, headers=headers).status_code == 200
    other = follow("/chat/events", bearer(issue_tokens(mine.other).access))
    first.close()
    follow(path, headers)
    assert refused(path, headers) == words
    assert not other.ended.is_set()
    assert not second.ended.is_set()


def test_a_user_has_one_count_through_all_doors(
    mine: World, follow: Follow, settings: Any, client: HttpClient, api: Any
) -> None:
    """the admin's too; a refused ticket is spent"""
    settings.STREAMS_PER_CALLER = 2
    client.force_login(mine.staff)
    admin = {"Cookie": f"sessionid={client.session.session_key}"}
    desk = api(mine.staff)
    ticket = desk.post("/chat/events/ticket").json()["data"]["ticket"]
    streams = [follow("/admin/events/", admin), follow("/chat/events", desk.headers)]
    assert refused("/admin/events/", admin) == {"detail": "Too many requests"}
    assert refused("/api/conversation/events", cast.cookie(issue_tokens(mine.staff).access)) == STREAMS["rooms"][1]
    assert refused(f"/chat/events?ticket={ticket}", {}) == STREAMS["assistant"][1]
    streams[0].close()
    assert HttpClient().get(f"/chat/events?ticket={ticket}").status_code == 401
    follow("/admin/events/", admin)


def test_one_client_has_so_many(mine: World, rival: NewTenant, follow: Follow, settings: Any) -> None:
    """whoever its callers are; another client has its own"""
    settings.STREAMS_PER_CLIENT = 2
    for user in (mine.owner, mine.other):
        follow("/chat/events", bearer(issue_tokens(user).access))
    path, words = STREAMS["workspace"]
    assert refused(path, cast.CREDENTIALS["workspace"](mine)) == words
    follow(path, bearer(rival.api_token.secret))


def test_however_a_stream_ends_its_place_is_free(mine: World, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """closed, its credential ended, never begun, begun and forgotten, without an event loop"""
    monkeypatch.setattr(renewing, "_EVERY", 0.0)
    pair = issue_tokens(mine.owner)
    follow("/chat/events", bearer(pair.access)).close()
    assert len(slots) == 0
    ends = follow("/chat/events", bearer(pair.access))
    assert len(slots) == 1
    end_log_in(pair.access)
    assert ends.ended.wait(10)
    assert len(slots) == 0

    def opened() -> Any:
        return HttpClient().get("/v1/events/stream", headers=cast.CREDENTIALS["workspace"](mine))

    answer = opened()
    assert len(slots) == 1
    del answer
    gc.collect()  # the test's client is in a cycle with its answers
    assert len(slots) == 0
    answer = opened()
    chunks = answer.event_stream.blocking_frames()
    next(chunks)
    next(chunks)
    chunks.close()
    assert len(slots) == 0
    assert len(hub) == 0


def test_what_is_given_back_is_counted_once(settings: Any) -> None:
    settings.STREAMS_PER_CALLER = 2
    caller, places = Caller(client_id=7, user_id=1), Slots()
    first, _ = places.take(caller), places.take(caller)
    with pytest.raises(TooManyCalls):
        places.take(caller)
    assert len(places) == 2
    places.give_back(first)
    assert len(places) == 1
    places.take(caller)
    with pytest.raises(TooManyCalls):
        places.take(caller)


@pytest.fixture
def server() -> Iterator[LiveServer]:
    server = LiveServer(WEB_WORKERS="1", STREAMS_PER_CALLER="2")
    server.start()
    yield server
    server.stop()


def wait_for(true: Callable[[], object], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_connection_that_breaks_gives_its_place_back(mine: World, server: LiveServer) -> None:
    """on the server that people run"""
    token = mine.tenant.api_token.secret
    ask = f"GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    def open_one() -> tuple[socket.socket, int]:
        line = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        line.sendall(ask)
        head = b""
        while b"\r\n\r\n" not in head:
            head += line.recv(4096)
        return line, int(head[9:12])

    def opens() -> bool:
        line, status = open_one()
        line.close()
        return status == 200

    (first, one), (second, two) = open_one(), open_one()
    assert (one, two) == (200, 200)
    assert not opens()
    first.close()
    wait_for(opens)  # which closes its own
    second.close()
    wait_for(lambda: all(status == 200 for _, status in (open_one(), open_one())))
