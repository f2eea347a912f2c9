"""Whose pages may call: CORS in every dialect (behaviour.md), cookies against other sites (rooms.md)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client as HttpClient

from chatplatform import dialects
from chatplatform.tests.store import everything
from clients.credentials import issue_tokens

LISTED = "https://app.example.com"
#: None of them is LISTED, nor `http://testserver`, however they look.
HOSTILE = [
    "null", "", "*", "https://evil.example", "https://app.example.com.evil.example", "https://evil-app.example.com",
    "https://evilapp.example.com", "http://app.example.com", "https://app.example.com:8443",
    "https://app.example.com:443", "https://app.example.com/", "https://app.example.com/x",
    "https://app.example.com@evil.example", "https://evil.example#https://app.example.com", "https://APP.example.com",
    "https://app.example.com.", "https://example.com", "https://sub.app.example.com", "app.example.com",
    "//app.example.com", f"{LISTED}, https://evil.example", f"{LISTED} https://evil.example", "https://app.example.co",
    "https://app.example.com\t", "https://xn--app-example.com", "file://", "https://", "https://[", "http://testserver.evil.example",
    "https://testserver", "http://testserver:8000", "http://eviltestserver", "http://testserver:80", "http://127.0.0.1",
    "data:text/html,x", "chrome-extension://app.example.com",
]  # fmt: skip
ROOMS = "/api/conversation"
FORBIDDEN = {"status": 403, "error": "Forbidden"}
ROOM = {"room": "r", "integrationType": "website"}
ROOT = Path(__file__).parents[2]
DIALECTS = [dialect.name for dialect in dialects.discover()]


@pytest.fixture(autouse=True)
def _listed(settings):
    settings.CORS_ALLOWED_ORIGINS = [LISTED, "http://localhost:5173"]


@pytest.fixture
def maya(acme, by_cookie):
    return by_cookie(acme.users[0].user)


def paths(name):
    """Each route of a dialect as an address, and what is none."""
    [dialect] = [dialect for dialect in dialects.discover() if dialect.name == name]
    suffixes = {str(pattern.pattern) for pattern in dialect.urls if not str(pattern.pattern).endswith("/")}
    yield f"/{dialect.prefix}/no/such/path"
    for suffix in sorted(suffixes):
        filled = "/".join("1" if part.startswith("<") else part for part in suffix.split("/"))
        yield f"/{dialect.prefix}/{filled}".rstrip("/")


def call(method, path, **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpClient(raise_request_exception=False).generic(method, path, headers=sent)


def cors(answer):
    return {name: value for name, value in answer.headers.items() if name.lower().startswith("access-control-")}


# --- CORS ---


@pytest.mark.contract("behaviour: CORS, for every dialect")
@pytest.mark.parametrize("name", DIALECTS)
def test_a_listed_origin(db, name):
    """listed origins only, with credentials; … exposed; `Vary: Origin`"""
    for path in paths(name):
        for method in ("GET", "POST", "DELETE"):  # whatever the answer is: here mostly a 401, 404 or 405
            for origin in (LISTED, "http://localhost:5173"):
                answer = call(method, path, Origin=origin)
                assert answer["Access-Control-Allow-Origin"] == origin, path
                assert answer["Access-Control-Allow-Credentials"] == "true"
                exposed = {header.strip().lower() for header in answer["Access-Control-Expose-Headers"].split(",")}
                assert exposed == {
                    "x-request-id", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
                }  # fmt: skip
                assert "origin" in answer["Vary"].lower().split(", ")


@pytest.mark.contract("behaviour: CORS, for every dialect")
@pytest.mark.parametrize("name", DIALECTS)
def test_a_preflight(db, name):
    """headers `Authorization`, `Content-Type`, `X-PUBLIC-KEY`, … accepted"""
    for path in paths(name):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            asked = {"Origin": LISTED, "Access_Control_Request_Method": method}
            answer = call("OPTIONS", path, **asked, Access_Control_Request_Headers="x-public-key,idempotency-key")
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer["Access-Control-Allow-Origin"] == LISTED
            assert answer["Access-Control-Allow-Credentials"] == "true"
            assert method in answer["Access-Control-Allow-Methods"]
            assert "origin" in answer["Vary"].lower()
            accepted = {header.strip().lower() for header in answer["Access-Control-Allow-Headers"].split(",")}
            assert accepted >= {
                "authorization", "content-type", "x-public-key", "idempotency-key", "last-event-id", "x-request-id",
            }  # fmt: skip


@pytest.mark.contract("behaviour: CORS, for every dialect")
@pytest.mark.parametrize("name", DIALECTS)
def test_origins_that_are_not_listed(db, name):
    path = list(paths(name))[-1]
    for origin in HOSTILE:
        for method in ("GET", "POST"):
            answer = call(method, path, Origin=origin)
            assert cors(answer) == {}, origin
            assert "origin" in answer["Vary"].lower()
        answer = call("OPTIONS", path, Origin=origin, Access_Control_Request_Method="POST")
        assert (answer.status_code, cors(answer)) == (200, {}), origin


@pytest.mark.contract("behaviour: CORS, for every dialect")
@pytest.mark.parametrize("name", DIALECTS)
def test_without_an_origin(db, name):
    """Caches must know that the answer to a page is another one."""
    for path in paths(name):
        answer = call("GET", path)
        assert cors(answer) == {}
        assert "origin" in answer["Vary"].lower()


def test_the_admin_is_for_its_own_pages(db):
    assert cors(call("GET", "/admin/login/", Origin=LISTED)) == {}
    asked = call("OPTIONS", "/admin/login/", Origin=LISTED, Access_Control_Request_Method="POST")
    assert cors(asked) == {}


# --- cookies ---


CALLS = [
    ("GET", f"{ROOMS}?page=1&limit=5", None), ("POST", ROOMS, ROOM), ("GET", "{room}", None),
    ("PATCH", "{room}", {"room": "x"}), ("DELETE", "{room}", None),
]  # fmt: skip
ACCOUNTS = [
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/me"),
]


@pytest.fixture
def room(maya):
    return f"{ROOMS}/{maya.post(ROOMS, ROOM).json()['data']['id']}"


@pytest.mark.contract('rooms: 403 | {"status": 403', "rooms: Cookie credentials need cross-site protection")
def test_cookies_from_another_origin_are_refused(maya, room):
    before = everything()
    for origin in HOSTILE:
        for method, path, body in CALLS:
            answer = maya(method, path.format(room=room), body, Origin=origin, Sec_Fetch_Site="same-origin")
            assert (answer.status_code, answer.json()) == (403, FORBIDDEN), (origin, method, path)
            assert answer.cookies == {}
    assert everything() == before


@pytest.mark.contract("rooms: Cookie credentials need cross-site protection")
@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": LISTED}, {"Origin": "http://testserver"}, {"Origin": LISTED, "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://testserver", "Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "same-origin"},
    ],
    ids=str,
)  # fmt: skip
def test_cookies_from_our_pages_and_programs_are_taken(maya, room, headers):
    """with neither header (no browser) it is taken"""
    for method, path, body in CALLS:
        assert maya(method, path.format(room=room), body, **headers).status_code == 200, (method, path)


@pytest.mark.contract("rooms: Cookie credentials need cross-site protection")
@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "SAME-ORIGIN", "same-origin, cross-site", "x"])
def test_without_an_origin_the_site_tells(maya, room, site):
    before = everything()
    for method, path, body in CALLS:
        answer = maya(method, path.format(room=room), body, Sec_Fetch_Site=site)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN), (method, path)
    assert everything() == before
    # A link that was followed shows what it leads to; it changes nothing.
    followed = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "navigate"}
    assert maya.get(room, **followed).status_code == 200
    assert maya.post(ROOMS, ROOM, **followed).status_code == 403


@pytest.mark.contract("rooms: Cookie credentials need cross-site protection", "rooms: A DELETE has no body")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "x",
             "application/jsonp", "text/plain;application/json"],
)  # fmt: skip
def test_another_content_type_with_cookies(maya, room, client, kind):
    """What a form of another site can send; an old browser adds no Origin to it."""
    before, headers = everything(), {**maya.headers, "Content-Type": kind}
    for body in (json.dumps(ROOM), ""):
        for method, path in (("POST", ROOMS), ("PATCH", room)):
            answer = client.generic(method, path, body, content_type=kind, headers=headers)
            assert (answer.status_code, answer["Content-Type"]) == (415, "application/json")
            assert set(answer.json()) == {"status", "error"}
    for path in ("/api/auth/logout", "/api/auth/refresh"):
        answer = client.post(path, "", content_type=kind, headers=headers)
        assert (answer.status_code, set(answer.json())) == (415, {"detail"})
    assert everything() == before
    assert client.delete(room, headers=headers).status_code == 200


@pytest.mark.contract('rooms: 403 | {"status": 403')
def test_without_cookies_it_is_401_whatever_the_origin(db, api):
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Cookie": "other=1"}):
        answer = api().get(f"{ROOMS}?page=1&limit=1", **headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "Unathorized")
    answer = api().get(f"{ROOMS}?page=1&limit=1", Origin="https://evil.example", Cookie="chat_refresh=x")
    assert answer.json() == FORBIDDEN


@pytest.mark.contract("accounts: POST /api/auth/login")
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "same-site"}]
)
def test_accounts_refuse_other_sites(acme, maya, api, headers):
    """Log-in too: a page could log its visitor in as somebody else, to read what they write then."""
    body = {"email": acme.users[0].user.email, "password": acme.users[0].password}
    before = everything()
    for caller in (api(), maya):
        answers = [caller(method, path, body if method == "POST" else None, **headers) for method, path in ACCOUNTS]
        refused = [(answer.status_code, answer.json(), dict(answer.cookies)) for answer in answers]
        expected = (403, {"detail": "Not from this origin"}, {})
        assert refused[:3] == [expected] * 3
        if caller is maya:
            assert refused[3] == expected
    assert everything() == before
    bearer = api(acme.users[0].user)
    assert bearer.get("/api/auth/me", **headers).status_code == 200  # no page can send that of itself
    assert bearer.get("/chat/conversations", **headers).status_code == 200


@pytest.mark.contract("accounts: POST /api/auth/login")
def test_accounts_take_listed_and_own_pages(acme, api):
    body = {"email": acme.users[0].user.email, "password": acme.users[0].password}
    for headers in ({"Origin": LISTED}, {"Origin": "http://testserver"}, {"Sec_Fetch_Site": "same-origin"}, {}):
        assert api().post("/api/auth/login", body, **headers).status_code == 200


# --- what is this server's own origin ---


@pytest.mark.parametrize(
    ("https", "proxies", "host", "forwarded", "own"),
    [
        (False, 0, "chat.example.com", "", "http://chat.example.com"),
        (False, 0, "chat.example.com:80", "", "http://chat.example.com"),
        (False, 0, "chat.example.com:8000", "", "http://chat.example.com:8000"),
        (False, 0, "CHAT.example.com", "", "http://chat.example.com"),
        (False, 0, "[::1]:8000", "", "http://[::1]:8000"),
        (False, 0, "chat.example.com", "https", "http://chat.example.com"),  # nobody's word but a proxy's of ours
        (True, 1, "chat.example.com", "https", "https://chat.example.com"),
        (True, 0, "chat.example.com", "", "https://chat.example.com"),
        (True, 1, "chat.example.com:443", "https", "https://chat.example.com"),
        (True, 1, "chat.example.com", "http", "https://chat.example.com"),
    ],
)
def test_the_own_origin(acme, settings, https, proxies, host, forwarded, own):
    settings.HTTPS, settings.TRUSTED_PROXIES = https, proxies
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if https and proxies else None
    cookie = f"chat_access={issue_tokens(acme.users[0].user).access}"
    path = f"{ROOMS}?page=1&limit=1"

    def status(origin):
        return call("GET", path, Host=host, Origin=origin, Cookie=cookie, X_Forwarded_Proto=forwarded).status_code

    assert status(own) == 200
    scheme, _, name = own.partition("://")
    other = "http" if scheme == "https" else "https"
    for wrong in (f"{other}://{name}", f"{own}:9", f"{own}.", f"{own}/", f"{scheme}://x{name}", f"{scheme}://x.{name}"):
        assert status(wrong) == 403, wrong


def test_a_host_that_is_not_ours_is_no_own_origin(acme, settings):
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    cookie = f"chat_access={issue_tokens(acme.users[0].user).access}"
    for host, status in (("chat.example.com", 200), ("evil.example", 403), ("bad host", 403)):
        answer = call("GET", f"{ROOMS}?page=1&limit=1", Host=host, Origin=f"http://{host}", Cookie=cookie)
        assert answer.status_code == status


# --- settings ---


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"CORS_ALLOWED_ORIGINS": "https://app.example.com/"}, "'https://app.example.com/' is no origin"),
        ({"CORS_ALLOWED_ORIGINS": "https://ok.example.com,null"}, "'null' is no origin"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "'*' is no origin"),
        ({"CORS_ALLOWED_ORIGINS": "https://app.example.com:443"}, "is no origin"),
        ({"COOKIE_SAMESITE": "none"}, "COOKIE_SAMESITE"),
        ({"COOKIE_SAMESITE": "None", "COOKIE_SECURE": "0"}, "COOKIE_SAMESITE=None needs COOKIE_SECURE=1"),
        ({"ACCESS_COOKIE": "a b"}, "ACCESS_COOKIE"),
    ],
)
def test_a_malformed_setting_stops_the_start(environment, said):
    done = read_settings(environment)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["Lax", False, None, []]),
        ({"HTTPS": "1"}, ["Lax", True, None, []]),
        ({"COOKIE_SAMESITE": "None", "COOKIE_DOMAIN": "example.com"}, ["None", True, "example.com", []]),
        (
            {"CORS_ALLOWED_ORIGINS": "https://a.example,http://[::1]:5173"},
            ["Lax", False, None, ["https://a.example", "http://[::1]:5173"]],
        ),
        ({"HTTPS": "1", "COOKIE_SECURE": "0", "CORS_ALLOWED_ORIGINS": ""}, ["Lax", False, None, []]),
    ],
)
def test_settings_of_cookies(environment, expected):
    done = read_settings(environment)
    assert json.loads(done.stdout) == expected, done.stderr


def read_settings(environment):
    program = (
        "import json; from chatplatform import settings as s;"
        "print(json.dumps([s.COOKIE_SAMESITE, s.COOKIE_SECURE, s.COOKIE_DOMAIN, s.CORS_ALLOWED_ORIGINS]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
