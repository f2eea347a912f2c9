"""contracts/assistant.md, calls 1, 2 and 3: list, create, details."""

import json
from datetime import timedelta

import pytest

from chatplatform.tests.conftest import NOON
from chatplatform.tests.store import everything, listed, new_conversation, say, staff, superuser, whatsapp_chat
from conversations.models import Conversation, Participant

URL = "/chat/conversations"
ROW = [
    "id", "title", "user_id", "agent_id", "conversation_type", "status", "is_archived", "is_pinned", "total_messages",
    "unread_count", "last_message_at", "created_at",
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.contract(
    "assistant: Base /chat.",
    "assistant: 2 | POST /chat/conversations | title",
    "behaviour: Unknown body fields are ignored",
)
def test_create(maya, acme):
    """2: "Conversation created successfully"; {"conversation_id": 123}"""
    answer = maya.post(URL, {"title": "New Customer Inquiry", "agent_id": acme.agents[1].pk, "user_id": 7})
    row = Conversation.objects.get()
    assert answer.status_code == 200
    assert json.dumps(answer.json()) == json.dumps(
        {"success": True, "message": "Conversation created successfully", "data": {"conversation_id": row.pk}}
    )
    assert (row.channel, row.status, row.kind, row.created_at) == ("website", "active", "chat", NOON)
    user = acme.users[0].user
    assert (row.owner_id, row.assigned_agent_id, row.client_id) == (user.pk, acme.agents[1].pk, acme.client.pk)
    people = list(Participant.objects.values_list("user_id", "agent_id", "role"))
    assert people == [(user.pk, None, "customer"), (None, acme.agents[1].pk, "agent")]
    assert row.participant_count == 2


@pytest.mark.contract(
    "assistant: 2 | POST /chat/conversations | title", "assistant: Envelope:", "assistant: Errors: 400 validation"
)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"), ({"title": None}, "title"), ({"title": ""}, "title"), ({"title": "  "}, "title"),
        ({"title": 5}, "title"), ({"title": "x" * 256}, "title"), ({"title": ["x"]}, "title"),
        ({"title": "x", "agent_id": "5"}, "agent_id"), ({"title": "x", "agent_id": True}, "agent_id"),
        ({"title": "x", "agent_id": 1.5}, "agent_id"), ({"title": "x", "agent_id": [1]}, "agent_id"),
        ({"title": "x", "conversation_type": ""}, "conversation_type"),
        ({"title": "x", "conversation_type": "x" * 51}, "conversation_type"),
        ({"title": "x", "conversation_type": 5}, "conversation_type"),
    ],
)  # fmt: skip
def test_create_refuses(maya, body, field):
    """400 validation ("message": "Validation error", errors); title required, 1–255"""
    before = everything()
    answer = maya.post(URL, body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["success", "message", "errors"]
    assert (answer.json()["success"], answer.json()["message"]) == (False, "Validation error")
    assert list(answer.json()["errors"]) == [field]
    assert all(isinstance(message, str) for message in answer.json()["errors"][field])
    assert everything() == before


@pytest.mark.contract("behaviour: In a create, null for")
def test_create_with_nulls_and_the_longest_title(maya):
    """In a create, `null` for an optional field means its default"""
    maya.post(URL, {"title": "é" * 255, "agent_id": None, "conversation_type": None})
    row = Conversation.objects.get()
    assert (len(row.title), row.assigned_agent_id, row.kind) == (255, None, "chat")


@pytest.mark.contract("assistant: Errors: 400 validation")
def test_create_with_an_agent_that_is_not_there(maya, acme, rival):
    """404 "Agent not found": unknown, foreign, inactive, the built-in `system`"""
    system = acme.client.agents.get(kind="system")
    acme.agents[0].is_active = False
    acme.agents[0].save()
    before = everything()
    answers = [
        maya.post(URL, {"title": "x", "agent_id": agent_id})
        for agent_id in (10**9, 0, -1, rival.agents[0].pk, acme.agents[0].pk, system.pk)
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (404, b'{"success":false,"message":"Agent not found"}')
    }
    assert everything() == before


def test_a_superuser_owns_nothing(api, acme):
    before = everything()
    root = api(superuser())
    assert root.post(URL, {"title": "x"}).status_code == 403
    assert {**everything(), "User": 0, "RefreshToken": 0} == {**before, "User": 0, "RefreshToken": 0}


@pytest.mark.contract(
    "assistant: 1 | GET /chat/conversations?limit",
    "assistant: Envelope:",
    "assistant: Ids are integers",
    "README: whatsapp, workspace, assistant: 2024",
)
def test_list_shape(maya, acme, clock):
    """1: {"conversations": […], total, limit, offset}, "Found N conversations" """
    number = new_conversation(maya, "Customer Support Chat", agent_id=acme.agents[1].pk)
    clock.shift(timedelta(hours=4))
    say(maya, number, "Hello, I need help with my order")
    answer = maya.get(f"{URL}?limit=20&offset=0")
    row = {
        "id": number, "title": "Customer Support Chat", "user_id": acme.users[0].user.pk,
        "agent_id": acme.agents[1].pk, "conversation_type": "chat", "status": "active", "is_archived": False,
        "is_pinned": False, "total_messages": 1, "unread_count": 0, "last_message_at": "2027-03-01T16:00:00Z",
        "created_at": "2027-03-01T12:00:00Z",
    }  # fmt: skip
    data = {"conversations": [row], "total": 1, "limit": 20, "offset": 0}
    assert list(row) == ROW
    assert json.dumps(answer.json()) == json.dumps({"success": True, "message": "Found 1 conversations", "data": data})


@pytest.mark.contract("assistant: 1 | GET /chat/conversations?limit")
def test_an_empty_list(maya):
    assert maya.get(URL).json() == {
        "success": True,
        "message": "Found 0 conversations",
        "data": {"conversations": [], "total": 0, "limit": 20, "offset": 0},
    }


@pytest.mark.contract("assistant: 3 | GET /chat/conversations/{id}")
def test_details(maya, acme):
    """3: "Conversation found"; {id, title, user_id, agent_id, conversation_type, status, total_messages, …}"""
    number = new_conversation(maya, "Customer Support Chat")
    answer = maya.get(f"{URL}/{number}").json()
    assert (answer["success"], answer["message"]) == (True, "Conversation found")
    assert list(answer["data"]) == [*ROW, "updated_at"]
    assert answer["data"]["created_at"] == answer["data"]["updated_at"] == "2027-03-01T12:00:00Z"
    assert (answer["data"]["agent_id"], answer["data"]["last_message_at"]) == (None, None)


@pytest.mark.contract("mapping: title | name | —", "assistant: A user sees the conversations that they own")
def test_title_falls_back_to_the_room_and_the_channel(desk, api, acme):
    """mapping.md: title (else the room, else the channel); `user_id` is null where no user owns one"""
    row = whatsapp_chat(api)
    data = desk.get(f"{URL}/{row.pk}").json()["data"]
    assert (data["title"], data["user_id"], data["status"]) == ("whatsapp", None, "new")
    Conversation.objects.filter(pk=row.pk).update(room="Lobby 5")
    assert desk.get(f"{URL}/{row.pk}").json()["data"]["title"] == "Lobby 5"
    assert listed(desk, "?search=WHATSAPP") == [row.pk]


@pytest.mark.contract("assistant: 1 | GET /chat/conversations?limit")
def test_pinned_first_then_latest_activity(maya, desk, clock):
    """pinned first, then latest activity; for whoever reads"""
    first, second, third, fourth = (new_conversation(maya, f"Order {n}") for n in range(4) if not clock.shift(60))
    clock.shift(60)
    say(maya, second, "Any news?")
    maya.put(f"{URL}/{first}", {"is_pinned": True})
    expected = [first, second, fourth, third]
    assert listed(maya) == listed(desk) == expected
    assert listed(maya, "?limit=2&offset=1") == listed(desk, "?limit=2&offset=1") == expected[1:3]
    maya.put(f"{URL}/{first}", {"is_pinned": False})
    assert listed(maya) == listed(desk) == [second, fourth, third, first]


@pytest.mark.contract("assistant: 1 | GET /chat/conversations?limit", "behaviour: An empty optional query parameter")
def test_filters(desk, maya, acme, api):
    """status, agent_id, conversation_type, is_archived, is_pinned; together they narrow"""
    plain = new_conversation(maya, "One")
    other = new_conversation(maya, "Two", agent_id=acme.agents[0].pk, conversation_type="support")
    maya.put(f"{URL}/{other}", {"status": "escalated", "is_archived": True, "is_pinned": True})
    for query in (
        "status=escalated", f"agent_id={acme.agents[0].pk}", "conversation_type=support", "is_archived=true",
        "is_pinned=true", "is_pinned=1", f"status=escalated&is_archived=true&agent_id={acme.agents[0].pk}",
        "is_pinned=true&status=&agent_id=&search=&ordering=&limit=&offset=",
    ):  # fmt: skip
        for caller in (maya, desk):
            assert listed(caller, f"?{query}") == [other], query
    for query in ("is_archived=false", "is_pinned=false", "is_archived=0", "status=active", "conversation_type=chat"):
        assert listed(maya, f"?{query}") == [plain], query
    assert listed(maya, "?agent_id=999999") == listed(maya, "?status=closed") == []
    assert maya.get(f"{URL}?status=escalated").json()["message"] == "Found 1 conversations"


@pytest.mark.contract("assistant: 1 | GET /chat/conversations?limit")
def test_search_folds_case_and_accents(maya, desk):
    """`search` (title), alike on both databases"""
    claim = new_conversation(maya, "Reclamación: pedido Ñandú 100%")
    new_conversation(maya, "Straße_7")
    for words in ("reclamacion", "RECLAMACIÓN", "ñANDÚ", "nandu 100%", "ación: pe"):
        assert listed(maya, f"?search={words.replace('%', '%25')}") == [claim], words
        assert listed(desk, f"?search={words.replace('%', '%25')}") == [claim], words
    assert len(listed(maya, "?search=_")) == len(listed(maya, "?search=STRASSE")) == 1
    assert listed(maya, "?search=%25%25") == []
    assert listed(maya, "?search=parcel") == []


ORDERINGS = {
    "last_message_at": [0, 1, 2], "-last_message_at": [2, 1, 0], "created_at": [0, 2, 1], "-created_at": [1, 2, 0],
    "title": [1, 2, 0], "-title": [0, 2, 1], "total_messages": [2, 0, 1], "-total_messages": [1, 0, 2],
}  # fmt: skip


@pytest.mark.contract("assistant: ordering: last_message_at", "assistant: 1 | GET /chat/conversations?limit")
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_ordering(maya, desk, clock, ordering):
    """`ordering`: last_message_at, created_at, title, total_messages, each with `-` too"""
    zero = new_conversation(maya, "Zebra")
    clock.shift(120)
    two = new_conversation(maya, "Élan")
    clock.shift(1)
    one = new_conversation(maya, "Árbol")
    for number, times in ((zero, 2), (one, 3), (two, 1)):
        for _ in range(times):
            clock.shift(1)
            say(maya, number, "Hello")
    maya.put(f"{URL}/{two}", {"is_pinned": True})  # moves nothing where another order is asked for
    expected = [[zero, one, two][n] for n in ORDERINGS[ordering]]
    assert listed(maya, f"?ordering={ordering}") == expected
    assert listed(desk, f"?ordering={ordering}") == expected


@pytest.mark.contract(
    "README: limit, page, offset: whole", "assistant: ordering: last_message_at", "assistant: Errors: 400 validation"
)
@pytest.mark.parametrize("query", [
    "limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=1e3", "limit=%2B5", "limit=1234567890123456789", "limit=１",
    "limit=1%0A", "offset=-1", "offset=x", "offset=1234567890123456789", "status=open", "status=Active", "agent_id=x",
    "is_archived=yes", "is_pinned=2", "ordering=name", "ordering=--title", "ordering=id", "search=" + "x" * 256,
    "conversation_type=" + "x" * 51, "search=%00", "status=%00", "conversation_type=a%00b", "ordering=%00",
])  # fmt: skip
def test_a_bad_parameter_is_named(maya, query):
    """zero (offset may be 0), negative, longer or non-numeric is a validation error; `ordering` … else 400"""
    answer = maya.get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Validation error"
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.contract("README: limit, page, offset: whole", "README: An offset or page past the end")
def test_pages(maya):
    """a limit over the maximum is clamped to it (100); an offset past the end is an empty list"""
    numbers = [new_conversation(maya, f"Order {n}") for n in range(3)][::-1]
    for query, rows, limit, offset in [
        ("limit=2", numbers[:2], 2, 0), ("limit=2&offset=2", numbers[2:], 2, 2), ("offset=3", [], 20, 3),
        ("limit=500", numbers, 100, 0), ("limit=999999999999999999", numbers, 100, 0),
        ("offset=999999999999999999", [], 20, 999999999999999999), ("limit=3&offset=0", numbers, 3, 0),
        ("limit=1&offset=1&status=active", numbers[1:2], 1, 1), ("offset=9&status=active", [], 20, 9),
    ]:  # fmt: skip
        data = maya.get(f"{URL}?{query}").json()["data"]
        assert [row["id"] for row in data["conversations"]] == rows, query
        assert (data["total"], data["limit"], data["offset"]) == (3, limit, offset), query
        assert "total_is_capped" not in data


@pytest.mark.contract("behaviour: Totals (total")
def test_totals_are_capped(maya, desk, acme):
    """counted exactly up to 10,000, beyond that the total is 10,000 with "total_is_capped": true"""
    rows = Conversation.objects.bulk_create(
        Conversation(
            client=acme.client, channel="website", title_folded=f"order {n}", created_at=NOON, activity_at=NOON
        )
        for n in range(10_000)
    )
    data = desk.get(f"{URL}?limit=2").json()["data"]
    assert (data["total"], "total_is_capped" in data) == (10_000, False)
    new_conversation(maya)
    for query in ("?limit=2", "?limit=2&is_archived=false", "?limit=2&search=or", "?limit=2&offset=9999"):
        answer = desk.get(f"{URL}{query}").json()
        assert answer["data"]["total"] == 10_000, query
        assert answer["message"] == "Found 10000 conversations"
    assert desk.get(f"{URL}?limit=2").json()["data"]["total_is_capped"] is True
    assert len(rows) == 10_000


@pytest.mark.contract("README: One store. A conversation made")
def test_another_role_is_no_other_list(api, acme, maya):
    """A conversation made through one dialect is listed through each whose caller may see it."""
    chat = whatsapp_chat(api, name="Ayu", number_client=6281234567890)
    mine = new_conversation(maya)
    assert listed(api(staff(acme))) == [mine, chat.pk]
    assert listed(maya) == [mine]
