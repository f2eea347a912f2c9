"""contracts/README.md, "Rules for all five": errors, request ids, slashes, Accept."""

import logging

import pytest

from chatplatform.tests.store import new_conversation

CRASH = ZeroDivisionError("SELECT secret FROM /srv/app.py")


def raising(error):
    def crash(*args, **kwargs):
        raise error

    return crash


@pytest.mark.contract("README: 500 never shows a traceback", "README: Every error, 404 for an unknown path")
def test_a_crash_while_an_answer_is_written(maya, monkeypatch, caplog):
    """what never left the dialect's views is in its envelope too"""
    monkeypatch.setattr("chatplatform.dialects.parsing.JSONRenderer.render", raising(CRASH))
    with caplog.at_level(logging.ERROR):
        answer = maya.get("/chat/conversations")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert list(answer.json()) == ["success", "message", "reference"]
    assert answer.json()["reference"] in caplog.text
    assert b"SELECT" not in answer.content


@pytest.mark.contract("README: Every response carries X-Request-Id")
def test_request_ids(maya):
    """Every response carries `X-Request-Id` (the caller's own when it sends a sane one)"""
    assert maya.get("/chat/conversations", X_Request_Id="order-7.a_B")["X-Request-Id"] == "order-7.a_B"
    for bad in ("", "a b", "x" * 129, "<script>"):
        made = maya.get("/chat/no", X_Request_Id=bad)["X-Request-Id"]
        assert made != bad
        assert len(made) == 32


@pytest.mark.contract("README: Paths are documented without a trailing slash")
def test_slashes_and_accept(maya):
    """an odd Accept header is no matter"""
    number = new_conversation(maya)
    for path in ("/chat/conversations", f"/chat/conversations/{number}", f"/chat/conversations/{number}/messages"):
        assert maya.get(path).content == maya.get(f"{path}/", Accept="application/xml;q=x, image/*").content
