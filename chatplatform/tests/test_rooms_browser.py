"""A browser program on another origin works with `rooms`; one that is not listed is refused. In a real
browser, on the real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from chatplatform.tests.store import everything
from clients.actions import NewTenant
from conftest import LiveServer
from conversations.models import Conversation

from .pages import Program, browsing, serving_pages

pytestmark = [pytest.mark.browser, pytest.mark.contract("rooms: Cookie credential: the page calls")]
ROOM = {"room": "client1-123 + client2-123", "integrationType": "website", "botId": "bot-123"}

#: What a page can send anywhere without asking first; it never sees the answer.
BLIND = """async ([url, body]) => {
    const options = {method: "POST", mode: "no-cors", credentials: "include", body};
    const answer = await fetch(url, options);
    return answer.type;
}"""
FORM = """([url, name]) => {
    const form = document.createElement("form");
    form.method = "POST";
    form.action = url;
    form.enctype = "text/plain";
    const field = document.createElement("input");
    field.name = name;
    field.value = '"}';
    form.append(field);
    document.body.append(form);
    form.submit();
}"""


@pytest.fixture
def another_server() -> Iterator[Callable[[], int]]:
    yield from serving_pages()


@pytest.fixture(autouse=True)
def _rows_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright runs an event loop in the test's thread, where Django would refuse to."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def context(chromium: Path, tmp_path: Path) -> Iterator[BrowserContext]:
    yield from browsing(chromium, tmp_path)


@pytest.fixture
def platform(transactional_db: None) -> Iterator[Callable[..., str]]:
    """`platform(COOKIE_SAMESITE="None")` starts the server with these settings, by the name `localhost`."""
    servers = []

    def start(**environment: str) -> str:
        server = LiveServer(**environment)
        servers.append(server)
        server.start()
        return f"http://localhost:{server.port}"

    yield start
    for server in servers:
        server.stop()


def cookies(context: BrowserContext) -> dict[str, Any]:
    return {cookie["name"]: cookie for cookie in context.cookies()}


@pytest.mark.contract(
    "accounts: POST /api/auth/login", "behaviour: CORS, for every dialect", "rooms: The cookies renew themselves",
    "rooms: Cookie credentials need cross-site protection", "README: rooms.md | rooms",
    "rooms: The documentation writes the item path",
)  # fmt: skip
def test_a_page_of_a_listed_origin(
    acme: NewTenant, platform: Callable[..., str], another_server: Callable[[], int], context: BrowserContext
) -> None:
    """Of the same site (`localhost`), as app.example.com is with chat.example.com: SameSite=Lax is enough."""
    pages = f"http://localhost:{another_server()}"
    program = Program(context.new_page(), platform(CORS_ALLOWED_ORIGINS=pages))
    program.page.goto(f"{pages}/api/index.html")  # where the cookies' path would let a script see them

    answer = program("GET", "/api/conversation?page=1&limit=10")
    assert (answer["status"], answer["body"]) == (401, {"status": 401, "error": "Unathorized"})
    answer = program.log_in(acme.users[0])
    assert (answer["status"], answer["body"]["user"]["name"]) == (200, "User 1")
    kept = cookies(context)
    assert {(name, cookie["httpOnly"], cookie["path"]) for name, cookie in kept.items()} == {
        ("chat_access", True, "/api"), ("chat_refresh", True, "/api"),
    }  # fmt: skip
    assert program.page.evaluate("document.cookie") == ""

    made = program("POST", "/api/conversation", ROOM)
    assert (made["status"], made["body"]["message"]) == (200, "Conversation created succesfully!!")
    assert made["id"]  # X-Request-Id is exposed to the page
    path = f"/api/conversation/conversation:{made['body']['data']['id']}"
    assert program("GET", "/api/conversation?page=1&limit=10")["body"]["data"] == [made["body"]["data"]]
    changed = program("PATCH", path, {"room": "client3-123 + client4-123 updated"})
    assert changed["body"]["message"] == "Conversation updated successufully!!"
    assert program("GET", path)["body"] == {"status": 200, "data": changed["body"]["data"]}

    context.clear_cookies(name="chat_access")  # as after eight hours
    assert program("GET", path)["status"] == 200
    renewed = cookies(context)
    assert renewed["chat_refresh"]["value"] != kept["chat_refresh"]["value"]
    assert "chat_access" in renewed

    assert program("DELETE", path)["body"] == {"status": 200, "message": "Conversation deleted Successfuly"}
    assert program("GET", path)["body"] == {"status": 400, "error": "ConversationId is Invalid"}
    assert program("POST", "/api/auth/logout")["status"] == 204
    assert cookies(context) == {}
    assert program("GET", "/api/conversation?page=1&limit=10")["status"] == 401


@pytest.mark.contract(
    'rooms: 403 | {"status": 403', "rooms: Cookie credentials need cross-site protection",
    "behaviour: CORS, for every dialect",
)  # fmt: skip
def test_a_page_of_an_origin_that_is_not_listed(
    acme: NewTenant, platform: Callable[..., str], another_server: Callable[[], int], context: BrowserContext
) -> None:
    """Of the same site, so that the browser does send the cookies: the server alone refuses it."""
    pages, foreign = f"http://localhost:{another_server()}", f"http://localhost:{another_server()}"
    program = Program(context.new_page(), platform(CORS_ALLOWED_ORIGINS=pages))
    program.page.goto(pages)
    program.log_in(acme.users[0])
    made = program("POST", "/api/conversation", ROOM)["body"]["data"]
    kept, before = cookies(context), everything()

    program.page.goto(foreign)
    api, item = program.api, f"/api/conversation/{made['id']}"
    for method, path, body in (
        ("GET", "/api/conversation?page=1&limit=10", None), ("POST", "/api/conversation", ROOM), ("GET", item, None),
        ("PATCH", item, {"room": "taken"}), ("DELETE", item, None), ("GET", "/api/auth/me", None),
        ("POST", "/api/auth/logout", None), ("POST", "/api/auth/refresh", None),
    ):  # fmt: skip
        assert program(method, path, body) == {"refused": "TypeError"}, (method, path)
    assert program.log_in(acme.users[1]) == {"refused": "TypeError"}

    # What goes out without a preflight, with the cookies, reaches the server, and is refused there.
    url, body = f"{api}/api/conversation", '{"room": "x", "integrationType": "y"}'
    assert program.statuses(lambda: program.page.evaluate(BLIND, [url, body])) == [403]
    assert program.statuses(lambda: program.page.evaluate(BLIND, [f"{api}/api/auth/logout", ""])) == [403]
    login = json.dumps({"email": acme.users[1].user.email, "password": acme.users[1].password})
    assert program.statuses(lambda: program.page.evaluate(BLIND, [f"{api}/api/auth/login", login])) == [403]
    with program.page.expect_navigation() as navigation:
        program.page.evaluate(FORM, [url, '{"room": "x", "integrationType": "y", "z": "'])
    assert navigation.value.status == 403
    assert everything() == before
    assert cookies(context) == kept

    program.page.goto(pages)
    assert program("GET", item)["body"]["data"] == made  # the log-in is as it was


@pytest.mark.contract("accounts: POST /api/auth/login")
def test_pages_of_another_site(
    acme: NewTenant, platform: Callable[..., str], another_server: Callable[[], int], context: BrowserContext
) -> None:
    """`127.0.0.1` and `localhost` are two sites, as example.net and example.com are. Browsers take `Secure`
    cookies from `localhost` without TLS."""
    pages = f"http://127.0.0.1:{another_server()}"
    program = Program(context.new_page(), platform(CORS_ALLOWED_ORIGINS=pages, COOKIE_SAMESITE="None"))
    program.page.goto(pages)
    assert program.log_in(acme.users[0])["status"] == 200
    assert {(cookie["sameSite"], cookie["secure"]) for cookie in cookies(context).values()} == {("None", True)}
    assert program("POST", "/api/conversation", ROOM)["status"] == 200
    assert [row["room"] for row in program("GET", "/api/conversation?page=1&limit=5")["body"]["data"]] == [ROOM["room"]]

    lax = Program(program.page, platform(CORS_ALLOWED_ORIGINS=pages))
    context.clear_cookies()
    assert lax.log_in(acme.users[0])["status"] == 200
    assert lax("POST", "/api/conversation", ROOM)["status"] == 401  # such cookies stay on their site
    assert Conversation.objects.count() == 1
