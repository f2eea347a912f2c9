"""contracts/accounts.md and rooms.md: a log-in that a browser keeps in cookies."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.test import Client as HttpClient

from chatplatform import dialects
from chatplatform.dialects import cookies
from chatplatform.tests.store import everything
from clients import actions, credentials
from clients.models import Client, RefreshToken, User
from conversations.models import Conversation

ROOMS = "/api/conversation"
PAGE = f"{ROOMS}?page=1&limit=10"
UNAUTHORIZED = {"status": 401, "error": "Unathorized"}
INVALID = {"detail": "Token is invalid or expired"}
ROOM = {"room": "r", "integrationType": "website"}


class Browser:
    """Keeps the cookies that it is given and sends them with each call."""

    def __init__(self) -> None:
        self.client = HttpClient(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, path, headers=sent, **content)

    @property
    def cookies(self) -> dict[str, str]:
        return {name: morsel.value for name, morsel in self.client.cookies.items()}

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@pytest.fixture
def maya(acme: Any) -> Any:
    return acme.users[0]


def log_in(new: Any, **headers: str) -> Any:
    browser = Browser()
    answer = browser("POST", "/api/auth/login", {"email": new.user.email, "password": new.password}, **headers)
    assert answer.status_code == 200, answer.content
    return browser


@pytest.mark.contract(
    "accounts: POST /api/auth/login", "accounts: login and refresh answer 200", "rooms: Login, refresh, logout",
)  # fmt: skip
@pytest.mark.usefixtures("clock")
def test_log_in(acme, maya):
    answer = Browser()("POST", "/api/auth/login", {"email": maya.user.email, "password": maya.password})
    assert answer.status_code == 200
    assert answer.json() == {"user": {"uuid": str(maya.user.uuid), "name": "User 1", "email": maya.user.email}}
    assert list(answer.cookies) == ["chat_access", "chat_refresh"]
    for name, life in (("chat_access", 8 * 3600), ("chat_refresh", 30 * 86400)):
        cookie = answer.cookies[name]
        assert cookie.value not in answer.content.decode()
        assert {key: value for key, value in cookie.items() if value and key != "expires"} == {
            "max-age": life, "path": "/api", "httponly": True, "samesite": "Lax",
        }  # fmt: skip
    bearer = {"Authorization": f"Bearer {answer.cookies['chat_access'].value}"}
    assert HttpClient().get("/api/auth/me", headers=bearer).json()["uuid"] == str(maya.user.uuid)
    User.objects.filter(pk=maya.user.pk).update(username="maya")
    answer = Browser()("POST", "/api/auth/login/", {"username": "maya", "password": maya.password})
    assert (answer.status_code, len(answer.cookies)) == (200, 2)


@pytest.mark.contract("accounts: POST /api/auth/login")
def test_cookies_by_settings(maya, settings):
    """None+Secure where the SPA is on another site"""
    settings.COOKIE_SAMESITE, settings.COOKIE_SECURE, settings.COOKIE_DOMAIN = "None", True, "example.com"
    settings.ACCESS_COOKIE, settings.REFRESH_COOKIE = "a", "r"
    browser = log_in(maya)
    assert browser("GET", PAGE).status_code == 200
    answers = [browser("POST", "/api/auth/refresh"), browser("POST", "/api/auth/logout")]
    for answer in answers:
        for name in ("a", "r"):
            cookie = answer.cookies[name]
            assert (cookie["samesite"], cookie["secure"], cookie["domain"], cookie["httponly"], cookie["path"]) == (
                "None", True, "example.com", True, "/api",
            )  # fmt: skip


@pytest.mark.contract("accounts: Wrong credentials: 401", "accounts: POST /api/auth/login")
def test_wrong_credentials_get_no_cookie(maya, acme):
    wrong = {"detail": "No active account found with the given credentials"}
    before = everything()
    for body in ({"email": maya.user.email, "password": "no"}, {"email": "nobody@example.com", "password": "no"}):
        answer = Browser()("POST", "/api/auth/login", body)
        assert (answer.status_code, answer.json(), dict(answer.cookies)) == (401, wrong, {})
    assert Browser()("POST", "/api/auth/login", {"email": "a@b.c"}).json() == {
        "detail": "password: This field is required."
    }
    assert everything() == before
    for _ in range(4):
        Browser()("POST", "/api/auth/login", {"email": maya.user.email, "password": "no"})
    answer = Browser()("POST", "/api/auth/login", {"email": maya.user.email, "password": maya.password})
    assert (answer.status_code, answer["Retry-After"], dict(answer.cookies)) == (429, "900", {})


@pytest.mark.contract("accounts: username is the login name", "accounts: GET /api/auth/me")
def test_me_takes_the_cookie_or_a_bearer_token(acme, maya, api):
    browser = log_in(maya)
    assert browser("GET", "/api/auth/me").json() == api(maya.user).get("/api/auth/me").json()
    other = api(acme.staff.user).headers["Authorization"]
    assert browser("GET", "/api/auth/me", Authorization=other).json()["uuid"] == str(acme.staff.user.uuid)
    assert browser("GET", "/api/auth/me", Authorization="Bearer no").json() == INVALID
    browser.client.cookies["chat_access"] = "forged"
    assert browser("GET", "/api/auth/me").json() == INVALID


@pytest.mark.contract(
    "accounts: POST /api/auth/refresh", "accounts: Of concurrent uses of one refresh token",
    "accounts: login and refresh answer 200",
)  # fmt: skip
@pytest.mark.usefixtures("clock")
def test_refresh(maya, clock):
    browser = log_in(maya)
    first = browser.header
    answer = browser("POST", "/api/auth/refresh")
    assert answer.status_code == 200
    assert answer.json() == {"user": {"uuid": str(maya.user.uuid), "name": "User 1", "email": maya.user.email}}
    assert list(answer.cookies) == ["chat_access", "chat_refresh"]
    assert browser.header != first
    clock.shift(10)
    spent = Browser()("POST", "/api/auth/refresh", Cookie=first)
    assert (spent.status_code, spent.json(), dict(spent.cookies)) == (401, INVALID, {})
    assert browser("POST", "/api/auth/refresh").status_code == 200  # so shortly after it ends nothing
    clock.shift(1)
    assert Browser()("POST", "/api/auth/refresh", Cookie=first).json() == INVALID
    credentials.known.clear()
    assert browser("GET", PAGE).json() == UNAUTHORIZED
    assert browser("POST", "/api/auth/refresh").json() == INVALID


@pytest.mark.contract("accounts: POST /api/auth/refresh")
def test_refresh_takes_the_cookie_alone(maya):
    pair = credentials.issue_tokens(maya.user)
    before = everything()
    missing = {"detail": "Authentication credentials were not provided."}
    for body, headers in (({"refresh": pair.refresh}, {}), (None, {"Authorization": f"Bearer {pair.refresh}"})):
        answer = Browser()("POST", "/api/auth/refresh", body, **headers)
        assert (answer.status_code, answer.json()) == (401, missing)
    for name in ("chat_access", "chat_refresh"):
        for value in (pair.access, "forged", "a.b.c"):
            answer = Browser()("POST", "/api/auth/refresh", Cookie=f"{name}={value}")
            assert answer.status_code == 401
    assert everything() == before


@pytest.mark.contract("accounts: POST /api/auth/logout", "accounts: login and refresh answer 200")
def test_log_out(maya, clock):
    browser, elsewhere = log_in(maya), log_in(maya)
    held, gone = browser.header, browser.cookies
    answer = browser("POST", "/api/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    for name in ("chat_access", "chat_refresh"):
        cookie = answer.cookies[name]
        assert (cookie.value, cookie["max-age"], cookie["path"], cookie["httponly"]) == ("", 0, "/api", True)
    assert browser("GET", PAGE).json() == UNAUTHORIZED
    assert Browser()("GET", PAGE, Cookie=held).json() == UNAUTHORIZED  # at once where it was logged out
    assert Browser()("POST", "/api/auth/refresh", Cookie=held).json() == INVALID
    token = HttpClient().post(
        "/api/auth/token/refresh", {"refresh": gone["chat_refresh"]}, content_type="application/json"
    )
    assert (token.status_code, token.json()) == (401, INVALID)
    assert elsewhere("GET", PAGE).status_code == 200  # another log-in of the same user


@pytest.mark.contract("accounts: POST /api/auth/logout")
@pytest.mark.parametrize(
    "sent", ["access", "refresh", "expired access", "spent refresh", "nothing", "rubbish", "twice"]
)
def test_a_log_out_with_whatever_is_left(maya, clock, sent):
    pair = credentials.issue_tokens(maya.user)
    later = credentials.issue_tokens(maya.user, family=RefreshToken.objects.get().family)
    if sent == "expired access":
        clock.shift(timedelta(hours=8))
    if sent == "spent refresh":
        credentials.rotate_refresh_token(pair.refresh)
    header = {
        "access": f"chat_access={pair.access}", "expired access": f"chat_access={pair.access}",
        "refresh": f"chat_refresh={pair.refresh}", "spent refresh": f"chat_refresh={pair.refresh}", "nothing": "x=1",
        "rubbish": "chat_access=a.b.c; chat_refresh=\xff", "twice": f"chat_refresh=x; chat_refresh={pair.refresh}",
    }[sent]  # fmt: skip
    answer = Browser()("POST", "/api/auth/logout", Cookie=header)
    assert (answer.status_code, list(answer.cookies)) == (204, ["chat_access", "chat_refresh"])
    if sent in ("nothing", "rubbish"):
        assert credentials.rotate_refresh_token(later.refresh)
    else:
        with pytest.raises(credentials.BadCredential):
            credentials.rotate_refresh_token(later.refresh)


@pytest.mark.contract("accounts: POST /api/auth/logout")
@pytest.mark.parametrize(
    "sent", ["access", "expired access", "refresh as bearer", "refresh", "spent refresh", "both", "rubbish", "nothing"]
)
def test_a_log_out_without_cookies(maya, clock, sent):
    """Each token ends its log-in, and no other of the user."""
    pair, elsewhere = credentials.issue_tokens(maya.user), credentials.issue_tokens(maya.user)
    if sent == "expired access":
        clock.shift(timedelta(hours=8))
    if sent == "spent refresh":
        credentials.rotate_refresh_token(pair.refresh)
    bearer = {"access": pair.access, "expired access": pair.access, "refresh as bearer": pair.refresh,
              "both": pair.access, "rubbish": "a.b.c"}.get(sent)  # fmt: skip
    refresh = {"refresh": pair.refresh, "spent refresh": pair.refresh, "both": elsewhere.refresh,
               "rubbish": "x"}.get(sent)  # fmt: skip
    answer = Browser()(
        "POST", "/api/auth/logout", None if refresh is None else {"refresh": refresh},
        **({} if bearer is None else {"Authorization": f"Bearer {bearer}"}),
    )  # fmt: skip
    assert (answer.status_code, answer.content) == (204, b"")
    credentials.known.clear()
    ended = sent not in ("rubbish", "nothing")
    assert goes_on(pair) is not ended
    assert goes_on(elsewhere) is (sent != "both")


def goes_on(pair):
    """Whether any token of a log-in is good yet; a spent one is for nothing."""
    for use, secret in (
        (credentials.caller_of_access_token, pair.access),
        (credentials.rotate_refresh_token, pair.refresh),
    ):
        try:
            use(secret)
        except credentials.BadCredential:
            continue
        return True
    return False


@pytest.mark.parametrize("refresh", [7, ["x"], "x" * 4097])
def test_a_log_out_with_what_is_no_token(maya, refresh):
    pair = credentials.issue_tokens(maya.user)
    before = everything()
    answer = Browser()("POST", "/api/auth/logout", {"refresh": refresh}, Authorization=f"Bearer {pair.access}")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("refresh: ")
    assert everything() == before


@pytest.mark.parametrize("body", [{}, {"refresh": None}, {"refresh": ""}, {"other": 1}])
def test_a_log_out_with_an_empty_body(maya, body):
    pair = credentials.issue_tokens(maya.user)
    assert Browser()("POST", "/api/auth/logout", body).status_code == 204
    assert goes_on(pair)


def test_no_page_of_another_origin_logs_out_by_a_token(maya):
    pair = credentials.issue_tokens(maya.user)
    before = everything()
    for body, headers in (({"refresh": pair.refresh}, {}), (None, {"Authorization": f"Bearer {pair.access}"})):
        answer = Browser()("POST", "/api/auth/logout", body, Origin="https://evil.example.com", **headers)
        assert (answer.status_code, answer.json()) == (403, {"detail": "Not from this origin"})
    assert everything() == before


def test_a_token_made_while_its_family_ended_is_no_good(maya):
    """A log-out that runs beside a renewal does not see the row that the renewal is about to add."""
    pair = credentials.issue_tokens(maya.user)
    family = RefreshToken.objects.get().family
    credentials.end_families(family)
    made = credentials.issue_tokens(maya.user, family=family)
    for secret in (pair.refresh, made.refresh):
        with pytest.raises(credentials.BadCredential):
            credentials.rotate_refresh_token(secret)


# --- calls of rooms ---


@pytest.mark.contract("rooms: Cookie credential: the page calls", "rooms: 401 | {")
@pytest.mark.parametrize(
    "cookie", ["", "chat_access=", "chat_access=x", "chat_access=a.b.c", "other=1", "chat_refresh=x", "chat_access",
               "chat_access=\xff", 'chat_access="a\\000b"', "chat_access=\x01", "=;=;,",
               "chat_access=x; chat_refresh=y", "chat_access=" + "x" * 8000],
)  # fmt: skip
def test_no_cookie_or_one_that_is_none(maya, cookie):
    before = everything()
    for method, path, body in CALLS:
        answer = Browser()(method, path, body, Cookie=cookie)
        assert (answer.status_code, answer.json(), dict(answer.cookies)) == (401, UNAUTHORIZED, {}), (method, path)
        assert answer["WWW-Authenticate"] == "Cookie"
    assert everything() == before


CALLS = [
    ("GET", PAGE, None), ("POST", ROOMS, ROOM), ("GET", f"{ROOMS}/x", None), ("PATCH", f"{ROOMS}/x", {}),
    ("DELETE", f"{ROOMS}/x", None),
]  # fmt: skip


@pytest.mark.contract("rooms: 401 | {")
@pytest.mark.parametrize("claims", [{"ver": 99}, {"iss": "other"}, {"sub": "00000000-0000-0000-0000-000000000000"}])
def test_a_forged_cookie_is_not_renewed(maya, settings, claims):
    pair = credentials.issue_tokens(maya.user)
    good = jwt.decode(pair.access, settings.JWT_SIGNING_KEY, ["HS256"])
    forged = [
        jwt.encode({**good, **claims}, settings.JWT_SIGNING_KEY, "HS256"), jwt.encode(good, None, "none"),
        jwt.encode({**good, "exp": 1}, "another key, and a long enough one at that", "HS256"), pair.refresh,
    ]  # fmt: skip
    before = everything()
    for access in forged:
        answer = Browser()("GET", PAGE, Cookie=f"chat_access={access}; chat_refresh={pair.refresh}")
        assert (answer.status_code, answer.json(), dict(answer.cookies)) == (401, UNAUTHORIZED, {})
    assert everything() == before


@pytest.mark.contract("rooms: The cookies renew themselves", "accounts: POST /api/auth/login")
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]}")
@pytest.mark.parametrize("access", ["expired", "gone"])
def test_cookies_renew_themselves(maya, clock, call, access):
    browser = log_in(maya)
    clock.shift(timedelta(hours=8))
    if access == "gone":
        del browser.client.cookies["chat_access"]
    old = browser.header
    answer = browser(*call)
    assert answer.status_code == (400 if "/x" in call[1] else 200)  # an error takes the new cookies along too
    assert list(answer.cookies) == ["chat_access", "chat_refresh"]
    for cookie in answer.cookies.values():
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/api", True, "Lax")
    again = browser(*call)
    assert (again.status_code, dict(again.cookies)) == (answer.status_code, {})
    assert Browser()("GET", PAGE, Cookie=old).json() == UNAUTHORIZED  # the old ones are spent
    assert browser("GET", "/api/auth/me").json()["uuid"] == str(maya.user.uuid)


@pytest.mark.contract("rooms: The cookies renew themselves", "rooms: 401 | {")
@pytest.mark.usefixtures("clock")
def test_where_cookies_do_not_renew_themselves(maya, clock):
    browser = log_in(maya)
    assert dict(browser("GET", PAGE).cookies) == {}
    clock.shift(timedelta(hours=8))
    access = f"chat_access={browser.cookies['chat_access']}"
    answer = Browser()("GET", PAGE, Cookie=access)
    assert (answer.json(), dict(answer.cookies)) == (UNAUTHORIZED, {})
    clock.shift(timedelta(days=30))
    answer = browser("GET", PAGE)
    # Not taken back either: of two calls at once the one that lost must not undo the other's renewal.
    assert (answer.json(), dict(answer.cookies)) == (UNAUTHORIZED, {})


@pytest.mark.contract("rooms: The cookies renew themselves")
def test_me_renews_too(maya, clock):
    browser = log_in(maya)
    clock.shift(timedelta(hours=8))
    answer = browser("GET", "/api/auth/me")
    assert (answer.status_code, list(answer.cookies)) == (200, ["chat_access", "chat_refresh"])


def test_the_cookies_reach_every_call_that_takes_them():
    found = [
        f"/{dialect.prefix}/{pattern.pattern}"
        for dialect in dialects.discover()
        for pattern in dialect.urls
        if cookies.UserCookie in pattern.callback.cls.authentication_classes  # type: ignore[attr-defined]
    ]
    assert "/api/conversation/" in found
    assert [path for path in found if not path.startswith(f"{cookies.PATH}/")] == []


@pytest.mark.contract("README: Every write honours an optional", "rooms: The cookies renew themselves")
def test_a_retry_with_the_renewed_cookies(maya, clock):
    """The same user is the same caller, and a replay brings renewed cookies too."""
    browser = log_in(maya)
    answers = []
    for _ in range(2):
        clock.shift(timedelta(hours=8))
        answers.append(browser("POST", ROOMS, ROOM, Idempotency_Key="k-1"))
        assert list(answers[-1].cookies) == ["chat_access", "chat_refresh"]
    assert answers[0].json() == answers[1].json()
    assert Conversation.objects.count() == 1
    answer = browser("POST", ROOMS, {**ROOM, "room": "another"}, Idempotency_Key="k-1")
    assert (answer.status_code, answer.json()["status"]) == (409, 409)
    assert set(answer.json()) == {"status", "error"}


@pytest.mark.contract("accounts: Of concurrent uses of one refresh token")
def test_reuse_in_a_call_ends_the_family(maya, clock):
    browser = log_in(maya)
    stolen = browser.header
    clock.shift(timedelta(hours=8))
    assert browser("GET", PAGE).status_code == 200
    clock.shift(11)
    assert Browser()("GET", PAGE, Cookie=stolen).json() == UNAUTHORIZED
    credentials.known.clear()
    assert browser("GET", PAGE).json() == UNAUTHORIZED


def test_two_values_of_one_name_are_refused(acme, maya):
    """A page of a sister domain can set cookies for this one: whose log-in it is must not be its choice."""
    mine, theirs = credentials.issue_tokens(maya.user), credentials.issue_tokens(acme.users[1].user)
    before = everything()
    for first, second in ((mine, theirs), (theirs, mine)):
        for cookie in (
            f"chat_access={first.access}; chat_access={second.access}",
            f"chat_access={first.access};chat_access={second.access}; chat_refresh={first.refresh}",
            f"chat_refresh={first.refresh}; x=1; chat_refresh={second.refresh}",
        ):
            for method, path, body in CALLS:
                answer = Browser()(method, path, body, Cookie=cookie)
                assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert everything() == before
    twice = f"chat_access={mine.access}; chat_access={mine.access}"
    assert Browser()("GET", PAGE, Cookie=twice).status_code == 200


@pytest.mark.contract("rooms: Cookie credential: the page calls")
def test_cookies_open_no_other_dialect_and_bearer_tokens_not_this_one(acme, maya, api):
    browser = log_in(maya)
    assert api(maya.user).get(PAGE).json() == UNAUTHORIZED
    assert api(maya.user).post(ROOMS, ROOM).json() == UNAUTHORIZED
    assert browser("GET", PAGE, Authorization="Bearer no").status_code == 200
    before = everything()
    for method, path in (("GET", "/chat/conversations"), ("POST", "/chat/conversations"), ("GET", "/v1/conversations")):
        assert browser(method, path, {"title": "x"} if method == "POST" else None).status_code in (401, 404)
    assert browser("GET", "/chat/conversations").status_code == 401
    assert everything() == before


ENDINGS: dict[str, Callable[[User], Any]] = {
    "disabled": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "deleted": lambda user: User.objects.filter(pk=user.pk).delete(),
    "new password": actions.reset_password,
    "logged out everywhere": actions.end_log_ins,
    "client deactivated": lambda user: Client.objects.filter(pk=user.client_id).update(is_active=False),
}


@pytest.mark.contract('accounts: POST /api/auth/token {"email" or')
@pytest.mark.parametrize("ending", ENDINGS)
def test_cookies_of_whoever_may_no_longer_come_in(maya, clock, settings, ending):
    browser, expired = log_in(maya), log_in(maya)
    assert browser("GET", PAGE).status_code == 200
    ENDINGS[ending](maya.user)
    answer = browser("POST", "/api/auth/refresh")
    assert (answer.status_code, answer.json(), dict(answer.cookies)) == (401, INVALID, {})
    clock.shift(settings.CREDENTIAL_CACHE_SECONDS)
    assert browser("GET", PAGE).json() == UNAUTHORIZED
    assert browser("GET", "/api/auth/me").json() == INVALID
    clock.shift(timedelta(hours=8))
    assert expired("GET", PAGE).json() == UNAUTHORIZED


@pytest.mark.contract('accounts: POST /api/auth/token {"email" or')
@pytest.mark.parametrize("ending", ["disabled", "new password", "client deactivated"])
def test_staff_who_write_are_refused_at_once(acme, ending):
    browser = log_in(acme.staff)
    assert browser("GET", PAGE).status_code == 200
    ENDINGS[ending](acme.staff.user)
    before = everything()
    assert browser("POST", ROOMS, ROOM).json() == UNAUTHORIZED
    assert everything() == before
