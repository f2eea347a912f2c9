"""Call 11 of `assistant` and `GET /v1/search/messages` of `workspace`."""

from typing import Any
from unittest import mock

import pytest
from django.test import override_settings

from chatplatform.tests.store import everything, statements
from chatplatform.tests.workspace import AGENT, CUSTOMER, assert_refused, begin, ok, robot_of, wrong_fields
from messaging.models import Message
from messaging.search import messages as module

pytestmark = pytest.mark.django_db


@pytest.fixture
def robot(acme: Any) -> Any:
    return robot_of(acme)


def say(robot: Any, conversation: Any, text: str, sender: Any = CUSTOMER) -> Any:
    body = {"type": "text", "text": {"body": text}, "sender": sender}
    return ok(robot.post(f"/v1/conversations/{conversation['id']}/messages", body), 201)


def found(robot: Any, query: str) -> Any:
    return ok(robot.get(f"/v1/search/messages?{query}"))


@pytest.mark.contract("assistant: GET /chat/search", "assistant: Search is full-text")
def test_call_11(acme: Any, api: Any) -> None:
    user = api(acme.users[0].user)
    made = user.post("/chat/conversations", {"title": "Parcels"}).json()["data"]["conversation_id"]
    texts = ["Where is my ORDER?", "orders <b>late</b>", "quite another thing"]
    sent = [user.post(f"/chat/conversations/{made}/messages", {"content": text}).json()["data"] for text in texts]
    answer = user.get("/chat/search?query=order&limit=20")
    assert answer.status_code == 200
    marks = ["Where is my <mark>ORDER</mark>?", "<mark>orders</mark> &lt;b&gt;late&lt;/b&gt;"]
    results = [{**sent[number], "highlight": marks[number]} for number in (1, 0)]
    data = {"results": results, "query": "order", "total": 2}
    assert answer.json() == {"success": True, "message": "Found 2 results", "data": data}
    assert user.get("/chat/search?query=order&limit=1&offset=1").json()["data"]["results"] == results[1:]
    assert user.get(f"/chat/search?query=order&conversation_id={made}").json()["data"]["total"] == 2
    assert user.get("/chat/search?query=order&conversation_id=999999").json()["data"]["total"] == 0
    [best] = user.get("/chat/search?query=%22my%20order%22&order=rank").json()["data"]["results"]
    assert best == {**results[1], "highlight": "Where is <mark>my</mark> <mark>ORDER</mark>?"}
    assert user.get("/chat/search?query=order%20-late").json()["message"] == "Found 1 results"
    other = api(acme.users[1].user)
    assert other.get("/chat/search?query=order").json()["data"] == {"results": [], "query": "order", "total": 0}
    assert api(acme.staff.user).get("/chat/search?query=order").json()["data"]["total"] == 2


def test_call_11_takes_a_limit_of_a_hundred_at_most(acme: Any, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """(its answer does not say which limit it took)"""
    from chatplatform.dialects.assistant import search as view

    taken = []
    search = view.search
    monkeypatch.setattr(view, "search", lambda *a, **kw: taken.append(kw["limit"]) or search(*a, **kw))
    for given in ("100", "101", "9" * 18, "1"):
        assert api(acme.users[0].user).get(f"/chat/search?query=order&limit={given}").status_code == 200
    assert taken == [100, 100, 100, 1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "query"), ("query=", "query"), ("query=%20", "query"), ("query=-order", "query"),
       
        ("query=%22%22", "query"),
        ("query=x%20before:soon", "query"), (f"query={'x' * 501}", "query"), ("query=x&limit=0", "limit"),
        ("query=x&offset=-1", "offset"), ("query=x&order=best", "order"), ("query=x%00", "query"),
    ],
)  # fmt: skip
def test_what_is_refused(acme: Any, api: Any, robot: Any, query: str, field: str) -> None:
    user = api(acme.users[0].user)
    before = everything()
    refused = user.get(f"/chat/search?{query}")
    assert (refused.status_code, refused.json()["message"]) == (400, "Validation error"), refused.content
    assert list(refused.json()["errors"]) == [field]
    assert wrong_fields(robot.get(f"/v1/search/messages?{query}")) == [field]
    assert everything() == before


@pytest.mark.contract("workspace: GET /v1/search/messages", "workspace: /v1/conversations/{id}/metrics")
def test_in_workspace(acme: Any, rival: Any, robot: Any) -> None:
    conversation = begin(robot)
    one, two = say(robot, conversation, "Mi órden no llega"), say(robot, conversation, "Your order left", AGENT)
    image = {"type": "image", "image": {"url": "https://example.com/a.png", "caption": "the order"}, "sender": CUSTOMER}
    three = ok(robot.post(f"/v1/conversations/{conversation['id']}/messages", image), 201)
    page = {"limit": 20, "offset": 0, "total": 2, "has_more": False}
    assert found(robot, "query=order") == {
        "messages": [
            {**three, "highlight": "the <mark>order</mark>"}, {**two, "highlight": "Your <mark>order</mark> left"},
        ],
        "pagination": page,
    }  # fmt: skip
    assert found(robot, "query=orden") == {
        "messages": [{**one, "highlight": "Mi <mark>órden</mark> no llega"}],
        "pagination": {**page, "total": 1},
    }
    first = found(robot, "query=order&limit=1")
    assert first["pagination"] == {"limit": 1, "offset": 0, "total": 2, "has_more": True}
    assert [message["id"] for message in found(robot, "query=order%20from:agent")["messages"]] == [two["id"]]
    assert found(robot_of(rival), "query=order")["messages"] == []
    ok(robot.delete(f"/v1/conversations/{conversation['id']}/messages/{two['id']}"), 204)
    assert [message["id"] for message in found(robot, "query=order")["messages"]] == [three["id"]]


def test_its_scope(acme: Any) -> None:
    reader = robot_of(acme, scopes=["messages:read", "conversations:read"])
    assert_refused(reader.get("/v1/search/messages?query=order"), "1002")
    assert found(robot_of(acme, scopes=["search"]), "query=order")["messages"] == []


@pytest.mark.contract("behaviour: The newest-10,000 rule", "behaviour: Totals (total")
def test_search_knows_all_and_caps_its_total(acme: Any, robot: Any, api: Any) -> None:
    conversation = begin(robot)
    sent = [say(robot, conversation, f"order n{number}")["id"] for number in range(12)]
    with (
        override_settings(MESSAGE_WINDOW=5),
        mock.patch.object(module, "CAP", 10),
        mock.patch("chatplatform.dialects.counting.CAP", 10),
    ):
        assert [message["id"] for message in found(robot, "query=n0")["messages"]] == sent[:1]
        page = found(robot, "query=order&limit=5&offset=5")
        assert page["pagination"] == {"limit": 5, "offset": 5, "total": 10, "total_is_capped": True, "has_more": True}
        last = found(robot, "query=order&limit=5&offset=10")
        assert [message["id"] for message in last["messages"]] == sent[1::-1]
        assert last["pagination"]["has_more"] is False
        mine = api(acme.staff.user).get("/chat/search?query=order&limit=5").json()
    assert (mine["message"], mine["data"]["total_is_capped"]) == ("Found 10 results", True)


def test_its_queries(robot: Any) -> None:
    """The same number however many are found."""
    conversation = begin(robot)
    counts = []
    for _ in range(2):
        say(robot, conversation, "order")
        counts.append(len(statements(lambda: found(robot, "query=order"))))
        for _ in range(3):
            say(robot, conversation, "order")
    assert counts == [4, 4]
    assert Message.objects.count() == 8
