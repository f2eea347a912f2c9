"""contracts/accounts.md: POST /api/auth/token, /token/refresh and GET /me."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone

from clients import actions, credentials
from clients.models import Agent, Client, RefreshToken, User

WRONG = {"detail": "No active account found with the given credentials"}
INVALID = {"detail": "Token is invalid or expired"}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def maya(acme):
    return acme.users[0]


def log_in(api, new, **other):
    return api().post("/api/auth/token", {"email": new.user.email, "password": new.password, **other})


def me(api, access):
    return api().get("/api/auth/me", Authorization=f"Bearer {access}")


def refresh(api, token):
    return api().post("/api/auth/token/refresh", {"refresh": token})


@pytest.mark.contract('accounts: POST /api/auth/token {"email" or', "accounts: The documented APIs assume")
def test_a_token_for_an_email(api, maya):
    """200 {"access", "refresh", "user": {"uuid","name","email"}}"""
    answer = log_in(api, maya)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == ["access", "refresh", "user"]
    user = maya.user
    assert body["user"] == {"uuid": str(user.uuid), "name": user.name, "email": user.email}
    assert list(body["user"]) == ["uuid", "name", "email"]
    assert me(api, body["access"]).status_code == 200


@pytest.mark.contract('accounts: POST /api/auth/token {"email" or', "accounts: username is the login name")
def test_a_token_for_a_login_name(api, maya):
    """{"email" or "username", "password"}; `username` is the login name; e-mails know no case."""
    User.objects.filter(pk=maya.user.pk).update(username="maya")
    given = {"username": "maya", "password": maya.password}
    assert api().post("/api/auth/token", given).json()["user"]["uuid"] == str(maya.user.uuid)
    assert log_in(api, maya).status_code == 200
    assert log_in(api, maya, email=maya.user.email.upper()).status_code == 200


@pytest.mark.contract('accounts: POST /api/auth/token {"email" or')
def test_lifetimes_are_settings(api, maya):
    """access 8 hours, refresh 30 days"""
    assert timedelta(hours=8) == settings.ACCESS_TOKEN_LIFETIME
    assert timedelta(days=30) == settings.REFRESH_TOKEN_LIFETIME
    with time_machine.travel(NOON, tick=False) as clock:
        body = log_in(api, maya).json()
        clock.shift(timedelta(hours=8, seconds=-1))
        assert me(api, body["access"]).status_code == 200
        clock.shift(timedelta(seconds=1))
        answer = me(api, body["access"])
        assert (answer.status_code, answer.json()) == (401, INVALID)
        clock.move_to(NOON + timedelta(days=30))
        answer = refresh(api, body["refresh"])
        assert (answer.status_code, answer.json()) == (401, INVALID)
        clock.move_to(NOON + timedelta(days=30, seconds=-1))
        assert refresh(api, body["refresh"]).status_code == 200


@pytest.mark.contract("accounts: GET /api/auth/me", "accounts: Users have a uuid, a name")
def test_me(api, acme, maya):
    """the caller: uuid, id, name, email, client, is_staff"""
    user = maya.user
    body = api(user).get("/api/auth/me").json()
    assert list(body) == ["uuid", "id", "name", "email", "client", "is_staff"]
    client = {"id": str(acme.client.uuid), "name": "Acme"}
    assert body == {
        "uuid": str(user.uuid), "id": user.pk, "name": user.name, "email": user.email, "client": client,
        "is_staff": False,
    }  # fmt: skip
    assert api(acme.staff.user).get("/api/auth/me").json()["is_staff"] is True
    root = User.objects.create_superuser("root", "root@example.com", "a long password")
    assert api(root).get("/api/auth/me").json()["client"] is None


@pytest.mark.contract("README: accounts.md | (shared)")
def test_me_needs_a_credential(api, maya):
    answer = api().get("/api/auth/me")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Authentication credentials were not provided."})
    assert answer["WWW-Authenticate"] == "Bearer"
    for bad in ("x", "a.b.c", "ey" + "J" * 500, "ÿþ"):
        answer = me(api, bad)
        assert (answer.status_code, answer.json()) == (401, INVALID)
    refresh_token = credentials.issue_tokens(maya.user).refresh
    assert me(api, refresh_token).json() == INVALID


@pytest.mark.parametrize("claims", [{"sub": "00000000-0000-0000-0000-000000000000"}, {"ver": 99}, {"iss": "other"}])
def test_a_forged_token_is_refused(api, maya, claims):
    good = jwt.decode(credentials.issue_tokens(maya.user).access, settings.JWT_SIGNING_KEY, ["HS256"])
    assert me(api, jwt.encode({**good, **claims}, settings.JWT_SIGNING_KEY, "HS256")).status_code == 401
    assert me(api, jwt.encode(good, "another key, and a long enough one at that", "HS256")).status_code == 401
    assert me(api, jwt.encode(good, None, "none")).status_code == 401


@pytest.mark.contract("accounts: Wrong credentials: 401")
def test_wrong_credentials_are_one_answer(api, maya, acme):
    """401, "the same for an unknown name and a wrong password", and for a disabled user"""
    answers = [log_in(api, maya, password="not the password"), log_in(api, maya, email="nobody@example.com")]
    User.objects.filter(pk=maya.user.pk).update(is_active=False)
    answers.append(log_in(api, maya))
    answers.append(api().post("/api/auth/token", {"username": "service", "password": "!"}))
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, WRONG)] * 4
    assert len({answer.content for answer in answers}) == 1
    assert not RefreshToken.objects.exists()


@pytest.mark.contract("accounts: Wrong credentials: 401")
def test_wrong_credentials_cost_the_same(api, maya, monkeypatch):
    """ "in the same time": one password is hashed for an unknown name, as for a wrong password"""
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, *given: hashed.append(1) or encode(self, *given)
    )  # fmt: skip

    def work(**given):
        hashed.clear()
        log_in(api, maya, **given)
        return len(hashed)

    assert work(password="not the password") == 1
    assert work(email="nobody@example.com") == 1
    User.objects.filter(pk=maya.user.pk).update(is_active=False)
    assert work() == 1


@pytest.mark.contract("README: accounts.md | (shared)")
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "password: This field is required."),
        ({"password": "x"}, "email: This field is required."),
        ({"email": "a@example.com"}, "password: This field is required."),
        ({"email": "a@example.com", "password": 7}, "password: Not a valid string."),
        ({"email": ["a@example.com"], "password": "x"}, "email: Not a valid string."),
        ({"email": "", "password": "x"}, "email: This field may not be blank."),
        ({"email": "a" * 256, "password": "x"}, "email: Ensure this field has no more than 255 characters."),
        ({"email": None, "username": None, "password": "x"}, "email: This field is required."),
    ],
)
def test_what_is_no_log_in(api, db, body, detail):
    """errors are {"detail"}"""
    answer = api().post("/api/auth/token", body)
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


@pytest.mark.contract("accounts: POST /api/auth/token/refresh", 'accounts: POST /api/auth/token {"email" or')
def test_refresh_rotates(api, maya):
    """200 {"access","refresh"}; rotated, the used one spent"""
    first = log_in(api, maya).json()
    answer = refresh(api, first["refresh"])
    assert answer.status_code == 200
    second = answer.json()
    assert list(second) == ["access", "refresh"]
    assert second["refresh"] != first["refresh"]
    assert me(api, second["access"]).status_code == 200
    answer = refresh(api, first["refresh"])
    assert (answer.status_code, answer.json()) == (401, INVALID)
    assert refresh(api, second["refresh"]).status_code == 200


@pytest.mark.contract("accounts: Of concurrent uses of one refresh token")
def test_a_spent_token_within_ten_seconds_is_only_refused(api, maya):
    """within 10 s of its rotation a spent one is only refused (401), later its use ends the whole family"""
    with time_machine.travel(NOON, tick=False) as clock:
        first = log_in(api, maya).json()
        other = log_in(api, maya).json()
        second = refresh(api, first["refresh"]).json()
        clock.shift(10)
        assert refresh(api, first["refresh"]).status_code == 401
        third = refresh(api, second["refresh"]).json()
        clock.shift(timedelta(seconds=1))
        assert refresh(api, first["refresh"]).status_code == 401
        credentials.known.clear()
        for dead in (first, second, third):
            assert me(api, dead["access"]).json() == INVALID
        assert refresh(api, third["refresh"]).json() == INVALID
        assert me(api, other["access"]).status_code == 200
        assert refresh(api, other["refresh"]).status_code == 200


def test_no_secret_is_kept_in_clear(api, maya):
    body = log_in(api, maya).json()
    kept = str(list(RefreshToken.objects.values())) + str(list(User.objects.values()))
    assert body["refresh"] not in kept
    assert body["access"] not in kept
    assert maya.password not in kept


@pytest.mark.parametrize("token", ["", " ", 5, None, ["x"], "x" * 4097])
def test_what_is_no_refresh_token(api, db, token):
    assert refresh(api, token).status_code == 400


ENDINGS = {
    "disabled": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "expired": lambda user: User.objects.filter(pk=user.pk).update(expires_at=timezone.now()),
    "new password": actions.reset_password,
    "logged out everywhere": actions.end_log_ins,
    "client deactivated": lambda user: Client.objects.filter(pk=user.client_id).update(is_active=False),
    "deleted": lambda user: User.objects.filter(pk=user.pk).delete(),
}


@pytest.mark.contract('accounts: POST /api/auth/token {"email" or')
@pytest.mark.parametrize("ending", ENDINGS)
def test_whoever_may_no_longer_come_in_is_refused_within_60_seconds(api, maya, ending):
    """a disabled user, a changed password or a log-out is refused within 60 s"""
    assert settings.CREDENTIAL_CACHE_SECONDS <= 60
    with time_machine.travel(NOON, tick=False) as clock:
        body = log_in(api, maya).json()
        fresh = log_in(api, maya).json()
        assert api().get("/chat/conversations", Authorization=f"Bearer {body['access']}").status_code == 200
        ENDINGS[ending](maya.user)
        assert refresh(api, body["refresh"]).json() == INVALID
        assert me(api, fresh["access"]).json() == INVALID  # this process knew nothing of it
        clock.shift(settings.CREDENTIAL_CACHE_SECONDS)
        answer = api().get("/chat/conversations", Authorization=f"Bearer {body['access']}")
        assert (answer.status_code, answer.json()["message"]) == (401, "Token is invalid or expired")


@pytest.mark.parametrize("ending", ["disabled", "new password", "client deactivated"])
def test_what_staff_write_is_refused_at_once(api, acme, ending):
    """A process may believe for some seconds what it knows, but not where staff write."""
    user = acme.staff.user
    caller = api(user)
    assert caller.get("/chat/conversations").status_code == 200
    ENDINGS[ending](user)
    assert caller.post("/chat/conversations", {"title": "After the end"}).status_code == 401
    assert caller.get("/api/auth/token").status_code == 405


def test_an_agent_put_out_of_service_sees_no_more_than_before(api, acme):
    """Without its queues it would see the whole client."""
    user = actions.create_user(client=acme.client, name="Ana Ruiz", email="ana@example.com", role="agent").user
    actions.create_agent(client=acme.client, agent_id="ana", name="Ana Ruiz", user=user, queues=["billing"])
    api(acme.users[0].user).post("/chat/conversations", {"title": "Not for billing"})
    assert api(user).get("/chat/conversations").json()["data"]["total"] == 0
    Agent.objects.filter(user=user).update(is_active=False)
    credentials.known.clear()
    assert api(user).get("/chat/conversations").json()["data"]["total"] == 0


def test_a_renewed_hash_ends_no_token(api, maya, settings):
    """Django hashes anew at log-in after a change of hasher; the tokens of that log-in are good."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    access = log_in(api, maya).json()["access"]
    maya.user.refresh_from_db()
    assert maya.user.password.startswith("pbkdf2_sha256$")
    assert me(api, access).status_code == 200
