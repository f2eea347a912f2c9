"""Rate limits in every dialect: what counts as whose call, what answers say of it, what is refused."""

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest
import requests
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatplatform.tests.conftest import NOON
from chatplatform.tests.rate_stores import redis_address
from chatplatform.tests.store import everything, new_conversation
from chatplatform.tests.workspace import AGENT, CUSTOMER, begin, ok, path_of, robot_of
from clients import actions
from clients.actions import create_api_token
from clients.credentials import issue_tokens
from clients.models import IdempotencyKey, RateWindow
from conftest import LiveServer
from conversations.models import Conversation
from messaging.models import Message

LIST = "/v1/conversations"
CREATE = "/api/chat/create"
NAMES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture
def limits(settings: Any) -> Any:
    """`limits(messages=3)`: these are so low, all others out of reach."""

    def lower(**most: int) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, **most}

    return lower


def told(answer: Any) -> tuple[str, ...] | None:
    """Limit, remaining, reset; None where an answer says nothing of them."""
    return tuple(answer[name] for name in NAMES) if NAMES[0] in answer else None


def left(answer: Any) -> int:
    return int(answer["X-RateLimit-Remaining"])


# --- workspace ---


@pytest.mark.contract("workspace: Every answer to a known token", "workspace: Rate limits per token")
def test_every_answer_to_a_known_token_tells_how_it_stands(acme, robot, monkeypatch, settings):
    made = begin(robot)
    reader = robot_of(acme, scopes=["conversations:read"])
    key = {"Idempotency_Key": "k1"}
    new = {"participants": [CUSTOMER], "channel": "x"}
    sent = {"type": "text", "text": {"body": "Hello"}, "sender": CUSTOMER}
    calls = [
        (200, lambda: robot.get(LIST)),
        (201, lambda: robot.post(LIST, new, **key)),
        (201, lambda: robot.post(LIST, new, **key)),  # the first one's answer
        (409, lambda: robot.post(LIST, {**new, "channel": "y"}, **key)),
        (404, lambda: robot.get(f"{LIST}/conv_{'0' * 32}")),
        (404, lambda: robot.get("/v1/nothing/here")),
        (404, lambda: robot.post("/v1", {})),
        (405, lambda: robot.put(LIST, {})),
        (400, lambda: robot.post(LIST, "{")),
        (413, lambda: robot.post(LIST, {"metadata": {"a": "x" * 2**20}})),
        (422, lambda: robot.post(LIST, {})),
        (422, lambda: robot.get(f"{LIST}?limit=0")),
        (422, lambda: robot.post(LIST, new, Idempotency_Key="ü")),
        (204, lambda: robot.delete(path_of(made))),
    ]
    before = left(robot.get(LIST))
    for place, (status, call) in enumerate(calls, 1):
        answer = call()
        assert answer.status_code == status, answer.content
        assert answer["X-RateLimit-Limit"] == str(settings.RATE_LIMITS["conversations"])
        assert left(answer) == before - place, status
    assert left(reader.get(LIST)) == settings.RATE_LIMITS["conversations"] - 1
    refused = reader.post(LIST, new)
    assert (refused.status_code, left(refused)) == (403, settings.RATE_LIMITS["conversations"] - 2)

    def crash(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError

    thread = path_of(begin(robot), "messages")
    assert left(robot.post(thread, sent)) == settings.RATE_LIMITS["messages"] - 1
    monkeypatch.setattr("chatplatform.dialects.workspace.messages.send_message", crash)
    broken = robot.post(thread, sent)
    assert (broken.status_code, left(broken)) == (500, settings.RATE_LIMITS["messages"] - 2)
    monkeypatch.setattr("chatplatform.dialects.parsing.JSONRenderer.render", crash)
    unwritten = robot.get(thread)
    assert (unwritten.status_code, left(unwritten)) == (500, settings.RATE_LIMITS["messages"] - 3)


def test_nobody_is_told_what_is_not_theirs(api, robot, acme):
    revoked = create_api_token(client=acme.client, name="Old")
    actions.revoke(revoked.token)
    for headers in ({}, {"Authorization": "Bearer cpt_wrong"}, {"Authorization": f"Bearer {revoked.secret}"}):
        for path in (LIST, "/v1/nothing"):
            answer = api()("GET", path, **headers)
            assert answer.status_code == (401 if path == LIST else 404)
            assert told(answer) is None
    assert told(api().get("/healthz")) is None


@pytest.mark.contract("workspace: Rate Limit Exceeded", "behaviour: Fixed windows of one minute")
@pytest.mark.usefixtures("clock")
def test_a_token_that_calls_too_often_waits(acme, robot, clock, limits):
    limits(conversations=2)
    end = str(int(NOON.timestamp()) + 61)  # 12:01:00.987654, and whoever comes at this second comes later
    new = {"participants": [CUSTOMER], "channel": "x"}
    assert told(robot.get(LIST)) == ("2", "1", end)
    clock.shift(20)
    assert told(robot.post(LIST, new)) == ("2", "0", end)
    before = everything()
    for call in (
        lambda: robot.post(LIST, new, Idempotency_Key="k1"), lambda: robot.get(LIST), lambda: robot.post(LIST, "{"),
        lambda: robot.get("/v1/nothing"), lambda: robot.get("/v1/contacts"),
    ):  # fmt: skip
        answer = call()
        assert answer.status_code == 429
        assert answer.json() == {"error": {"code": "1005", "message": "Rate Limit Exceeded"}}
        assert (told(answer), answer["Retry-After"]) == (("2", "0", end), "40")
    assert everything() == before
    assert IdempotencyKey.objects.count() == 0
    clock.shift(39.9)
    assert robot.get(LIST)["Retry-After"] == "1"
    clock.shift(0.1)
    again = robot.post(LIST, new, Idempotency_Key="k1")
    assert (again.status_code, told(again)) == (201, ("2", "1", str(int(end) + 60)))


@pytest.mark.contract("workspace: Rate limits per token", "behaviour: per token and class")
def test_each_token_and_each_class_has_its_own(acme, robot, limits):
    made = begin(robot)
    thread = path_of(made, "messages")
    limits(conversations=4, messages=2, uploads=1)
    file = {"filename": "a.txt", "content_type": "text/plain", "size": 3}
    assert told(robot.post(path_of(made, "uploads"), file))[:2] == ("1", "0")
    assert robot.post(path_of(made, "uploads"), file).status_code == 429
    other = robot_of(acme, scopes=["conversations:read", "messages:read", "people"])
    ok(robot.get(thread))
    ok(robot.get(thread))
    assert robot.get(thread).status_code == 429
    # One was spent by the conversation that was made.
    for path in ("/v1/contacts", "/v1/agents", path_of(made, "participants")):
        ok(robot.get(path))
    for path in ("/v1/contacts", "/v1/agents", "/v1/users", LIST, path_of(made), path_of(made, "metrics")):
        assert robot.get(path).status_code == 429, path
    assert told(other.get(LIST))[:2] == ("4", "3")
    assert told(other.get(thread))[:2] == ("2", "1")


def test_a_call_that_is_undone_counts_too(transactional_db, acme, robot, monkeypatch, limits):
    limits(conversations=3)

    def crash(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("chatplatform.dialects.workspace.conversations.shapes.conversation", crash)
    new = {"participants": [CUSTOMER], "channel": "x"}
    for remaining in (2, 1, 0):
        answer = robot.post(LIST, new, Idempotency_Key="k1")
        assert (answer.status_code, left(answer)) == (500, remaining)
    assert robot.post(LIST, new).status_code == 429
    assert Conversation.objects.count() == 0


# --- users ---


@pytest.mark.contract(
    "behaviour: per token and class", "behaviour: Fixed windows of one minute", "platform: Too Many Attempts",
    "assistant: Errors: 400 validation",
)  # fmt: skip
@pytest.mark.usefixtures("clock")
def test_a_user_has_one_count_through_all_doors(acme, api, platform, by_cookie, clock, limits):
    maya, omar = (one.user for one in acme.users)
    assistant, partner, spa = api(maya), platform(maya), by_cookie(maya)
    limits(users=5)
    end = str(int(NOON.timestamp()) + 61)
    doors = [
        (assistant, "/chat/conversations", {"success": False, "message": "Too many requests"}),
        (partner, "/api/v1/chat/conversations", {"message": "Too Many Attempts."}),
        (spa, "/api/conversation?page=1&limit=2", {"status": 429, "error": "Too many requests"}),
    ]
    for remaining, (caller, path, _) in zip((4, 3, 2), doors, strict=True):
        answer = caller.get(path)
        assert (answer.status_code, told(answer)) == (200, ("5", str(remaining), end))
    new_conversation(assistant)  # by another token of hers, too
    assert told(api(maya).get("/chat/nothing")) == ("5", "0", end)
    before = everything()
    for caller, path, body in doors:
        answer = caller.get(path)
        assert (answer.status_code, answer.json()) == (429, body)
        assert (told(answer), answer["Retry-After"]) == (("5", "0", end), "60")
    assert assistant.post("/chat/conversations", {"title": "x"}, Idempotency_Key="k").status_code == 429
    assert everything() == before
    assert told(api(omar).get("/chat/conversations"))[:2] == ("5", "4")
    assert assistant.get("/api/auth/me").status_code == 200
    clock.shift(60)
    assert told(spa.get(doors[2][1]))[:2] == ("5", "4")


def test_preflights_and_log_ins_count_nothing(acme, api, settings, limits):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    maya = api(acme.users[0].user)
    limits(users=1)
    asked = {"Origin": "https://app.example.com", "Access_Control_Request_Method": "GET"}
    for _ in range(3):
        assert maya("OPTIONS", "/chat/conversations", **asked).status_code == 200
        assert told(maya.get("/api/auth/me")) is None
    answer = maya.get("/chat/conversations", Origin="https://app.example.com")
    assert (answer.status_code, left(answer)) == (200, 0)
    assert "X-RateLimit-Reset" in answer["Access-Control-Expose-Headers"]
    assert maya.get("/chat/conversations").status_code == 429


def test_a_cookie_from_elsewhere_is_nobodys_where_nothing_is(acme, by_cookie, limits):
    limits(users=2)
    spa = by_cookie(acme.users[0].user)
    answer = spa.get("/api/conversation/a/b", Origin="https://elsewhere.example.com")
    assert (answer.status_code, told(answer)) == (404, None)
    assert told(spa.get("/api/conversation/a/b"))[:2] == ("2", "1")


# --- whatsapp ---


@pytest.mark.contract("whatsapp: Too many requests", "whatsapp: Rates: 1000 calls", "behaviour: per token and class")
@pytest.mark.usefixtures("clock")
def test_a_session_that_calls_too_often_waits(acme, rival, api, clock, limits):
    limits(sessions=2)
    end = str(int(NOON.timestamp()) + 61)
    body = {"session_name": "ses_acme", "chat_id": "c1"}
    assert told(api().post(CREATE, body)) == ("2", "1", end)
    assert told(api().post(CREATE, {"session_name": "ses_acme", "category": 7})) == ("2", "0", end)
    before = everything()
    answer = api().post(CREATE, body, Idempotency_Key="k1")
    assert answer.status_code == 429
    assert answer.json() == {"error": "Too many requests", "details": "Try again in 60 seconds."}
    assert (told(answer), answer["Retry-After"]) == (("2", "0", end), "60")
    assert everything() == before
    assert told(api().post(CREATE, {"session_name": "ses_rival"})) == ("2", "1", end)
    clock.shift(60)
    assert api().post(CREATE, body).status_code == 200


@pytest.mark.contract("whatsapp: The session id is a bearer secret", "whatsapp: Rates: 1000 calls")
@pytest.mark.usefixtures("clock")
def test_guessing_is_throttled_per_address(acme, rival, api, settings, limits):
    settings.TRUSTED_PROXIES = 1
    limits(guesses=3)
    here = {"X_Forwarded_For": "203.0.113.7"}

    def guess(session: Any, **headers: str) -> Any:
        return api().post(CREATE, {"session_name": session, "chat_id": "c1"}, **(headers or here))

    assert guess("ses_acme").status_code == 200
    assert guess("  ").status_code == guess(7).status_code == 400  # names none
    for remaining in ("2", "1", "0"):
        answer = guess(f"ses_{remaining}")
        assert (answer.status_code, told(answer)[:2]) == (404, ("3", remaining))
    before = everything()
    told_wrong = guess("ses_x")
    assert told(told_wrong)[:2] == ("3", "0")
    assert told_wrong.json() == {"error": "Too many requests", "details": "Try again in 60 seconds."}
    invalid = api().post(CREATE, {"session_name": "ses_x", "category": 7}, **here)
    for answer in (guess("ses_rival"), invalid):  # nobody learns whether this one would have been right
        assert (answer.status_code, answer.content) == (429, told_wrong.content)
        assert (told(answer), answer["Retry-After"]) == (told(told_wrong), "60")
    assert everything() == before
    for spoofed in ("1.2.3.4, 203.0.113.7", "203.0.113.8,  203.0.113.7 ", "::ffff:203.0.113.7"):
        assert guess("ses_x", X_Forwarded_For=spoofed).status_code == 429
    assert guess("ses_rival", X_Forwarded_For="203.0.113.8").status_code == 200


def test_a_forwarded_address_counts_only_behind_a_proxy_of_ours(acme, api, limits):
    limits(guesses=2)
    statuses = [
        api().post(CREATE, {"session_name": "ses_x"}, X_Forwarded_For=f"203.0.113.{n}").status_code for n in range(4)
    ]
    assert statuses == [404, 404, 429, 429]


def test_of_ipv6_a_whole_network_is_one_caller(acme, api, settings, limits):
    settings.TRUSTED_PROXIES = 1
    limits(guesses=2)
    statuses = [
        api().post(CREATE, {"session_name": "ses_x"}, X_Forwarded_For=f"2001:db8:0:{net}::{n}").status_code
        for net in (1, 2) for n in range(3)
    ]  # fmt: skip
    assert statuses == [404, 404, 429] * 2


def test_a_session_that_the_token_does_not_fit_is_a_guess(acme, rival, api, settings, limits):
    """A token of another client does not tell known sessions from unknown ones."""
    settings.WHATSAPP_REQUIRES_TOKEN = True
    limits(guesses=5)
    bearer = {"Authorization": f"Bearer {rival.api_token.secret}"}
    assert api().post(CREATE, {"session_name": "ses_rival"}, **bearer).status_code == 200
    foreign = api().post(CREATE, {"session_name": "ses_acme"}, **bearer)
    unknown = api().post(CREATE, {"session_name": "ses_nobody"}, **bearer)
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)
    assert (told(foreign)[:2], told(unknown)[:2]) == (("5", "4"), ("5", "3"))


def test_a_session_that_was_rotated_or_disabled_is_not_served(acme, api):
    assert api().post(CREATE, {"session_name": "ses_acme"}).status_code == 200
    actions.rotate_session_id(acme.client)
    assert api().post(CREATE, {"session_name": "ses_acme"}).status_code == 404


# --- clients ---


@pytest.mark.contract("behaviour: Settings for all")
def test_a_client_may_have_limits_of_its_own(acme, rival, api, platform, limits):
    limits(conversations=2, users=2, sessions=2)
    own = {"conversations": 3, "users": 4, "sessions": 1}
    actions.change_settings(acme.client.pk, rate_limits=own)
    robot, foreign = robot_of(acme), robot_of(rival)
    assert told(robot.get(LIST))[:2] == ("3", "2")
    assert told(robot.get("/v1/contacts"))[:2] == ("3", "1")
    assert told(foreign.get(LIST))[:2] == ("2", "1")
    assert told(api(acme.users[0].user).get("/chat/conversations"))[:2] == ("4", "3")
    assert told(platform(acme.users[0].user).get("/api/v1/chat/conversations"))[:2] == ("4", "2")
    assert told(api(rival.users[0].user).get("/chat/conversations"))[:2] == ("2", "1")
    assert told(api().post(CREATE, {"session_name": "ses_acme"}))[:2] == ("1", "0")
    assert told(api().post(CREATE, {"session_name": "ses_rival"}))[:2] == ("2", "1")


@pytest.mark.usefixtures("clock")
def test_a_limit_that_is_raised_lets_in_the_difference(acme, robot, clock, limits, settings):
    limits(conversations=2)
    assert [robot.get(LIST).status_code for _ in range(4)] == [200, 200, 429, 429]
    actions.change_settings(acme.client.pk, rate_limits={"conversations": 4})
    clock.shift(settings.CREDENTIAL_CACHE_SECONDS)
    assert [robot.get(LIST).status_code for _ in range(3)] == [200, 200, 429]


# --- what it costs ---


@pytest.mark.parametrize("door", ["workspace", "assistant", "whatsapp", "send"])
def test_counting_is_one_statement_on_postgresql_and_none_on_sqlite(acme, robot, api, door):
    maya = api(acme.users[0].user)
    thread = f"/chat/conversations/{new_conversation(maya)}/messages"
    call = {
        "workspace": lambda: robot.get(LIST),
        "assistant": lambda: maya.get("/chat/conversations"),
        "whatsapp": lambda: api().post(CREATE, {"session_name": "ses_acme", "chat_id": "c1"}),
        "send": lambda: maya.post(thread, {"content": "Hello"}),
    }[door]
    call()
    with CaptureQueriesContext(connection) as captured:
        assert call().status_code == 200
    counting = [query["sql"] for query in captured if RateWindow._meta.db_table in query["sql"]]
    assert len(counting) == (1 if connection.vendor == "postgresql" else 0)
    if counting:  # before any transaction, which would hold its row and could undo it
        assert captured.captured_queries[0]["sql"] == counting[0]


def test_a_read_of_sqlite_writes_nothing(transactional_db, acme, robot):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite")
    ok(robot.get(LIST))
    before = connection.connection.total_changes
    ok(robot.get(LIST))
    assert connection.connection.total_changes == before
    assert RateWindow.objects.count() == 0


# --- 64 at once, against the server's own processes ---


def at_once(calls: list[Any]) -> list[requests.Response]:
    """64 clients of a connection each, who all call at the same time."""

    def client(number: int) -> list[requests.Response]:
        with requests.Session() as session:
            return [one(session) for one in calls[number::64]]

    with ThreadPoolExecutor(64) as pool:
        return [answer for answers in pool.map(client, range(64)) for answer in answers]


def assert_exactly(most: int, answers: list[requests.Response]) -> None:
    """In each window that somebody was refused in, as many were let in as the limit says."""
    assert {answer.status_code for answer in answers} == {200, 429}
    windows: dict[str, Counter[int]] = defaultdict(Counter)
    remaining = defaultdict(list)
    for answer in answers:
        assert answer.headers["X-RateLimit-Limit"] == str(most)
        windows[answer.headers["X-RateLimit-Reset"]][answer.status_code] += 1
        if answer.status_code == 200:
            remaining[answer.headers["X-RateLimit-Reset"]].append(int(answer.headers["X-RateLimit-Remaining"]))
    full = {reset: counts for reset, counts in windows.items() if counts[429]}
    assert {counts[200] for counts in full.values()} == {most}
    for reset in full:  # each call was told another number
        assert sorted(remaining[reset]) == list(range(most))


@pytest.mark.contract("workspace: Rate limits per token", "behaviour: per token and class")
@pytest.mark.parametrize("where", ["one process", "two processes", "two processes and Redis"])
def test_sixty_four_clients_at_a_limit_of_500_get_exactly_500(transactional_db, acme, where):
    url = f"{LIST}?limit=1"
    workers = "1" if where == "one process" else "2"
    counted_in = {"REDIS_URL": redis_address()} if "Redis" in where else {}
    server = LiveServer(WEB_WORKERS=workers, RATE_LIMITS="conversations=500", **counted_in)
    server.start()
    try:
        headers = {"Authorization": f"Bearer {acme.api_token.secret}"}

        def call(session: requests.Session) -> requests.Response:
            return session.get(f"{server.url}{url}", headers=headers, timeout=60)

        assert_exactly(500, at_once([call] * 640))
    finally:
        server.stop()


@pytest.mark.contract("behaviour: per token and class")
def test_a_user_at_three_doors_at_once_has_one_limit(transactional_db, acme):
    user = acme.users[0].user
    pair = issue_tokens(user)
    bearer = {"Authorization": f"Bearer {pair.access}"}
    doors = [
        ("/chat/conversations?limit=1", bearer),
        ("/api/v1/chat/conversations", {**bearer, "X-PUBLIC-KEY": acme.public_key.key}),
        ("/api/conversation?page=1&limit=1", {"Cookie": f"chat_access={pair.access}"}),
    ]
    server = LiveServer(WEB_WORKERS="2", RATE_LIMITS="users=200")
    server.start()
    try:

        def call(door: int) -> Any:
            path, headers = doors[door]
            forwarded = {"X-Forwarded-For": f"203.0.113.{door}"}
            return lambda session: session.get(f"{server.url}{path}", headers={**headers, **forwarded}, timeout=60)

        assert_exactly(200, at_once([call(n // 64 % 3) for n in range(320)]))
    finally:
        server.stop()


def test_a_second_line_of_forwarded_addresses_gives_no_new_guesses(transactional_db, acme):
    """Some proxies add a line of their own instead of a word to the caller's."""
    server = LiveServer(TRUSTED_PROXIES="1", RATE_LIMITS="guesses=2")
    server.start()
    try:
        statuses = []
        for n in range(4):
            asked = HTTPConnection("127.0.0.1", server.port, timeout=60)
            body = b'{"session_name": "ses_x"}'
            asked.putrequest("POST", CREATE)
            for name, value in (
                ("X-Forwarded-For", f"203.0.113.{n}"), ("X-Forwarded-For", "198.51.100.7"),
                ("Content-Type", "application/json"), ("Content-Length", str(len(body))),
            ):  # fmt: skip
                asked.putheader(name, value)
            asked.endheaders(body)
            statuses.append(asked.getresponse().status)
    finally:
        server.stop()
    assert statuses == [404, 404, 429, 429]


def test_sends_at_once_are_as_many_messages_as_the_limit(transactional_db, acme, robot):
    made = begin(robot, CUSTOMER, AGENT)
    body = {"type": "text", "text": {"body": "Hello"}, "sender": CUSTOMER}
    server = LiveServer(WEB_WORKERS="2", RATE_LIMITS="messages=40")
    server.start()
    try:
        headers = {"Authorization": f"Bearer {acme.api_token.secret}"}

        def call(session: requests.Session) -> requests.Response:
            return session.post(f"{server.url}{path_of(made, 'messages')}", json=body, headers=headers, timeout=60)

        answers = at_once([call] * 64)
    finally:
        server.stop()
    assert Counter(answer.status_code for answer in answers) == {201: 40, 429: 24}
    assert Message.objects.count() == 40
