"""contracts/README.md, "Rules for all five": errors, request ids, slashes, Accept, CORS."""

import logging

import pytest
from django.db import OperationalError

from chatplatform.tests.store import new_conversation

CRASH = ZeroDivisionError("SELECT secret FROM /srv/app.py")


def raising(error):
    def crash(*args, **kwargs):
        raise error

    return crash


@pytest.mark.parametrize(
    ("prefix", "key"), [("/chat", "message"), ("/api/auth", "detail"), ("/api/chat/create", "error")]
)
def test_unknown_paths_and_methods_have_the_dialects_envelope(api, db, prefix, key):
    """404 for an unknown path and 405 … has that dialect's own envelope and JSON content type"""
    for path in (f"{prefix}/no/such", f"{prefix}/a%0Ab", f"{prefix}/%00", f"{prefix}/%ff", f"{prefix}/no/"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = api()(method, path)
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/json"), (method, path)
            assert key in answer.json()


def test_a_crash_shows_an_opaque_reference(maya, monkeypatch, caplog):
    """500 … shows an opaque reference that is also in the log; in a view, and while an answer is written"""
    monkeypatch.setattr("chatplatform.dialects.assistant.conversations.Conversations.create", raising(CRASH))
    with caplog.at_level(logging.ERROR):
        answer = maya.post("/chat/conversations", {"title": "x"})
    assert answer.status_code == 500
    assert list(answer.json()) == ["success", "message", "reference"]
    assert answer.json()["reference"] in caplog.text
    assert b"SELECT" not in answer.content
    monkeypatch.setattr("chatplatform.dialects.parsing.JSONRenderer.render", raising(CRASH))
    with caplog.at_level(logging.ERROR):
        answer = maya.get("/chat/conversations")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert answer.json()["reference"] in caplog.text
    assert b"SELECT" not in answer.content


def test_a_database_that_is_away_is_503(maya, monkeypatch):
    """behaviour.md: 503 (507) in the dialect's envelope with `Retry-After`"""
    target = "chatplatform.dialects.assistant.conversations.Conversations.list"
    for text, status in (("connection refused", 503), ("database or disk is full", 507)):
        monkeypatch.setattr(target, raising(OperationalError(text)))
        answer = maya.get("/chat/conversations")
        assert (answer.status_code, answer["Retry-After"], answer.json()["success"]) == (status, "5", False)
        assert text.encode() not in answer.content


def test_request_ids(maya):
    """Every response carries `X-Request-Id` (the caller's own when it sends a sane one)"""
    assert maya.get("/chat/conversations", X_Request_Id="order-7.a_B")["X-Request-Id"] == "order-7.a_B"
    for bad in ("", "a b", "x" * 129, "<script>"):
        made = maya.get("/chat/no", X_Request_Id=bad)["X-Request-Id"]
        assert made != bad
        assert len(made) == 32


def test_slashes_and_accept(maya):
    """with a trailing slash they work as well (no redirect); an odd Accept header is no matter"""
    number = new_conversation(maya)
    for path in ("/chat/conversations", f"/chat/conversations/{number}", f"/chat/conversations/{number}/messages"):
        assert maya.get(path).content == maya.get(f"{path}/", Accept="application/xml;q=x, image/*").content
    assert maya.post(f"/chat/conversations/{number}/messages/", {"content": "x"}).status_code == 200


def test_cors(maya, api, settings):
    """listed origins only, with credentials; `Vary: Origin`"""
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    answer = maya.get("/chat/conversations", Origin="https://app.example.com")
    assert answer["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert "origin" in answer["Vary"].lower()
    assert "x-request-id" in answer["Access-Control-Expose-Headers"].lower()
    for origin in ("https://evil.example.com", "https://app.example.com.evil.org", "http://app.example.com", "null"):
        answer = maya.get("/chat/conversations", Origin=origin)
        assert "Access-Control-Allow-Origin" not in answer
    asked = {"Origin": "https://app.example.com", "Access_Control_Request_Method": "POST"}
    allowed = api()("OPTIONS", "/chat/conversations", **asked)["Access-Control-Allow-Headers"]
    for name in ("authorization", "content-type", "x-public-key", "idempotency-key", "last-event-id", "x-request-id"):
        assert name in allowed
