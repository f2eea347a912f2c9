"""contracts/platform.md: the key, the token, and errors in its words."""

import json
import logging

import pytest
from django.db import OperationalError

from chatplatform.tests.store import everything, superuser
from clients import actions, credentials
from clients.models import User
from conversations.models import Conversation

URL = "/api/v1/chat/conversations"
KEY_MISSING = (400, {"message": "The X-PUBLIC-KEY header is required."})
UNAUTHENTICATED = (401, {"message": "Unauthenticated."})
NOT_FOUND = (404, {"message": "Conversation not found."})


@pytest.fixture
def uuid(john, acme):
    """John's conversation with Mary."""
    answer = john.post(URL, {"participant_uuid": str(acme.users[1].user.uuid)})
    return answer.json()["data"]["uuid"]


def calls(uuid, other):
    """(method, path, body): every call of the dialect, each good for whoever takes part."""
    return [
        ("GET", URL, None), ("POST", URL, {"participant_uuid": str(other.uuid)}), ("GET", f"{URL}/{uuid}", None),
        ("PATCH", f"{URL}/{uuid}", {"is_archived": True}), ("GET", f"{URL}/{uuid}/messages", None),
        ("POST", f"{URL}/{uuid}/messages", {"text": "x"}), ("POST", f"{URL}/{uuid}/read", None),
    ]  # fmt: skip


def answers(api, calls, **headers):
    return [(answer.status_code, answer.json()) for answer in (api(*call, **headers) for call in calls)]


@pytest.mark.contract(
    "platform: Headers on every call", "platform: 400 |", "platform: A missing key is answered before"
)
def test_without_a_key(john, api, uuid, acme):
    """400, before a missing token, and whatever the body is"""
    every = calls(uuid, acme.users[1].user)
    keyless = api(acme.users[0].user)
    before = everything()
    for caller in (john, api()):
        for key in ("", " "):
            assert answers(caller, every, X_PUBLIC_KEY=key) == [KEY_MISSING] * 7
    assert answers(keyless, every) == [KEY_MISSING] * 7
    malformed = api().post(URL, b"{")
    assert (malformed.status_code, malformed.json()) == KEY_MISSING
    assert everything() == before


@pytest.mark.contract("platform: Headers on every call", "platform: 401 |")
def test_without_a_good_token(john, api, uuid, acme):
    """token missing, bad, expired"""
    key = acme.public_key.key
    every = calls(uuid, acme.users[1].user)
    before = everything()
    for token in ("", "x", acme.api_token.secret, key):
        got = answers(api(), every, X_PUBLIC_KEY=key, Authorization=f"Bearer {token}")
        assert got == [UNAUTHENTICATED] * 7
    got = api().get(URL, X_PUBLIC_KEY=key)
    assert ((got.status_code, got.json()), got["WWW-Authenticate"]) == (UNAUTHENTICATED, "Bearer")
    User.objects.filter(pk=acme.users[0].user.pk).update(is_active=False)
    credentials.known.clear()
    assert answers(john, every) == [UNAUTHENTICATED] * 7
    User.objects.filter(pk=acme.users[0].user.pk).update(is_active=True)
    assert everything() == before


@pytest.mark.contract("platform: 401 |", "platform: The key names the client (tenant)")
def test_without_a_good_key(john, api, uuid, acme, rival):
    """unknown or revoked key; key and user of different clients; a superuser, who is of none"""
    every = calls(uuid, acme.users[1].user)
    before = everything()
    for key in (
        "pk_unknown",
        acme.public_key.key + "x",
        acme.public_key.key.upper(),
        "x" * 5000,
        acme.api_token.secret,
    ):
        assert answers(john, every, X_PUBLIC_KEY=key) == [UNAUTHENTICATED] * 7
        assert answers(api(), every, X_PUBLIC_KEY=key) == [UNAUTHENTICATED] * 7
    assert everything() == before
    assert answers(john, every, X_PUBLIC_KEY=rival.public_key.key) == [UNAUTHENTICATED] * 7
    root = api(superuser())
    before = everything()
    assert answers(root, every, X_PUBLIC_KEY=acme.public_key.key) == [UNAUTHENTICATED] * 7
    actions.revoke(acme.public_key)
    credentials.known.clear()
    acme.public_key.refresh_from_db()
    assert answers(john, every) == [UNAUTHENTICATED] * 7
    second = actions.create_platform_key(client=acme.client)
    assert john.get(URL, X_PUBLIC_KEY=second.key).status_code == 200
    assert Conversation.objects.get().is_archived is False


@pytest.mark.contract("platform: 404 |", "README: Unknown, foreign and deleted ids", "README: An id of the wrong shape")
@pytest.mark.parametrize("why", ["unknown", "foreign", "not a participant", "deleted", "wrong shape"])
def test_what_one_does_not_see(john, mary, platform, rival, api, acme, uuid, why):
    """404 {"message": "Conversation not found."}, byte for byte the same"""
    third = actions.create_user(client=acme.client, name="Third", email="third@example.com").user
    caller, ids = mary, [uuid]
    match why:
        case "unknown":
            ids = ["01a1fc56-3493-7458-9a71-76e45dec7141", "00000000-0000-0000-0000-000000000000"]
        case "foreign":
            caller = api(rival.users[0].user)
            caller.headers["X-PUBLIC-KEY"] = rival.public_key.key
            caller.get(URL)
        case "not a participant":
            caller = platform(third)
        case "deleted":
            api(acme.staff.user).delete(f"/chat/conversations/{Conversation.objects.get().pk}")
        case "wrong shape":
            ids = ["x", "1", uuid[:-1], f"{uuid}0", f"%20{uuid}", uuid.replace("-", ""), "%00", "１", f"{uuid}%0A"]
    before = everything()
    bodies = set()
    for identifier in ids:
        for method, path, body in calls(identifier, third)[2:]:
            answer = caller(method, path, body)
            assert (answer.status_code, answer.json()) == NOT_FOUND, (method, path)
            bodies.add(answer.content)
    assert len(bodies) == 1
    assert caller.get(URL).json()["data"] == [] or why in ("unknown", "wrong shape")
    assert everything() == before


@pytest.mark.contract("platform: 400 |")
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b'{"a": 1, "a": 2}', b'{"text": NaN}', b"\xff", rb'{"a": "\u0000"}']
)
def test_malformed_json(john, acme, uuid, body):
    """400 {"message": "Malformed JSON."}, for the calls too that need no body"""
    before = everything()
    for method, path, _ in calls(uuid, acme.users[1].user):
        if method != "GET":
            answer = john(method, path, body)
            assert (answer.status_code, answer.json()) == (400, {"message": "Malformed JSON."})
    assert everything() == before


def test_other_refusals_are_in_its_envelope(john, client, uuid):
    """README: every error, 404 for an unknown path and 405, 413 and 415 too, is `{"message"}` in JSON"""
    headers = john.headers
    for answer, status in [
        (john.put(f"{URL}/{uuid}", {}), 405), (john.delete(f"{URL}/{uuid}"), 405), (john.get("/api/v1/chat"), 404),
        (john.get("/api/v1/chat/rooms"), 404), (john.post(f"{URL}/{uuid}/nothing", {}), 404),
        (john.post(URL, b" " * (1024 * 1024 + 1)), 413),
        (client.generic("POST", URL, b"<x/>", content_type="text/xml", headers=headers), 415),
    ]:  # fmt: skip
        assert (answer.status_code, answer["Content-Type"], list(answer.json())) == (
            status,
            "application/json",
            ["message"],
        )


def raising(error):
    def fail(*args, **kwargs):
        raise error

    return fail


DOINGS = [
    "list conversations", "create conversation", "show conversation", "update conversation", "list messages",
    "send message", "mark conversation as read",
]  # fmt: skip
WITHIN = [
    "conversations.Conversations._filtered", "conversations.Conversations._other_user",
    "conversations.Conversations.values_of", "conversations.Conversations.conversation", "messages.Messages.values_of",
    "messages.Messages.conversation", "conversations.Conversations.conversation",
]  # fmt: skip


@pytest.mark.contract('platform: 500 | {"success": false')
@pytest.mark.parametrize("number", range(7))
def test_a_crash(john, acme, uuid, monkeypatch, caplog, number):
    """500 {"success": false, "message": "Failed to <what the call does>", "error": "<opaque reference>"}"""
    crash = raising(ZeroDivisionError("SELECT /srv/app.py"))
    monkeypatch.setattr(f"chatplatform.dialects.platform.{WITHIN[number]}", crash)
    before = everything()
    with caplog.at_level(logging.ERROR):
        answer = john(*calls(uuid, acme.users[1].user)[number])
    assert answer.status_code == 500
    reference = answer.json()["error"]
    assert json.dumps(answer.json()) == json.dumps(
        {"success": False, "message": f"Failed to {DOINGS[number]}", "error": reference}
    )
    assert len(reference) == 32
    assert reference in caplog.text
    assert everything() == before


@pytest.mark.contract("behaviour: platform answers its documented 500")
@pytest.mark.parametrize("trouble", ["connection refused", "database or disk is full", "database is locked"])
def test_a_database_that_is_away(john, acme, uuid, monkeypatch, caplog, trouble):
    """its documented 500 with `"error": "Database connection error"`, and `Retry-After`"""
    before = everything()
    error = OperationalError(trouble)
    monkeypatch.setattr("chatplatform.dialects.platform.view.client_of_platform_key", raising(error))
    for number, call in enumerate(calls(uuid, acme.users[1].user)):
        answer = john(*call)
        assert (answer.status_code, answer["Retry-After"]) == (500, "5")
        assert json.dumps(answer.json()) == json.dumps(
            {"success": False, "message": f"Failed to {DOINGS[number]}", "error": "Database connection error"}
        )
    assert trouble in caplog.text
    assert everything() == before


def test_a_host_that_is_none(john, settings):
    """Addresses in answers are made of it; a bad one is refused in the dialect's envelope"""
    answer = john.get(URL, Host="evil.example.com/x?")
    assert (answer.status_code, answer.json()) == (400, {"message": "Bad request"})
    assert john.get(URL, Host="chat.example.com:8443").json()["meta"]["path"] == f"http://chat.example.com:8443{URL}"
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    assert john.get(URL, Host="evil.example.com").status_code == 400
