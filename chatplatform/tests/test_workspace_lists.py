"""contracts/workspace.md: the list of conversations, its filters and pages."""

from datetime import timedelta

import pytest

from chatplatform.tests.store import listed as listed_by_assistant
from chatplatform.tests.store import new_conversation
from chatplatform.tests.workspace import AGENT, CUSTOMER, begin, ok, path_of, row_of, say, wrong_fields
from clients.actions import create_contact
from conversations.models import Conversation

pytestmark = pytest.mark.usefixtures("clock")


def listed(robot, query=""):
    """The subjects of a page."""
    return [row["subject"] for row in ok(robot.get(f"/v1/conversations{query}"))["conversations"]]


@pytest.mark.contract(
    "workspace: GET /v1/conversations?status=&channel=", "workspace: deleting 204; lists are",
    "mapping: whatsapp | integrationType",
)  # fmt: skip
def test_a_row_of_the_list(robot, clock):
    made = begin(robot, subject="Consulta sobre producto")
    clock.shift(45 * 60)
    say(robot, made, "Hola")
    assert ok(robot.get("/v1/conversations?status=active&channel=whatsapp&limit=20")) == {
        "conversations": [
            {
                "id": made["id"], "status": "active", "created_at": "2027-03-01T12:00:00Z",
                "last_message_at": "2027-03-01T12:45:00Z", "participants_count": 2, "message_count": 1,
                "channel": "whatsapp", "subject": "Consulta sobre producto", "queue": None,
            }
        ],
        "pagination": {"limit": 20, "offset": 0, "total": 1, "has_more": False},
    }  # fmt: skip


@pytest.fixture
def shelf(acme, robot, clock, maya):
    """Five conversations, a minute apart, each of other kinds."""
    create_contact(client=acme.client, contact_id="contact_2", name="Juana")
    support = {"tags": ["soporte"]}
    one = begin(robot, CUSTOMER, AGENT, subject="Reclamación 100%", channel="whatsapp", **support)
    clock.shift(60)
    begin(robot, {"contact_id": "contact_2"}, AGENT, subject="Pedido_7", channel="email", **support)
    clock.shift(60)
    two = begin(robot, {"contact_id": "contact_2"}, {"agent_id": "assistant"}, subject="pedido 8", channel="email")
    clock.shift(60)
    begin(robot, CUSTOMER, channel="email", tags=["ventas"])
    clock.shift(60)
    new_conversation(maya, "Where is my pedido?")
    clock.shift(60)
    ok(robot.patch(path_of(two), {"status": "escalated"}))
    say(robot, one, "Hello?")  # the latest activity
    return robot


ALL = ["Reclamación 100%", "Where is my pedido?", None, "pedido 8", "Pedido_7"]
FILTERS = {
    "": ALL,
    "?order=desc": ALL,
    "?order=asc": ALL[::-1],
    "?status=escalated": ["pedido 8"],
    "?status=closed": [],
    "?channel=email": [None, "pedido 8", "Pedido_7"],
    "?channel=EMAIL": [],
    "?tag=soporte": ["Reclamación 100%", "Pedido_7"],
    "?tag=SOPÓRTE": ["Reclamación 100%", "Pedido_7"],
    "?tag=nothing": [],
    "?contact_id=contact_1": ["Reclamación 100%", None],
    "?contact_id=contact_1&order=asc": [None, "Reclamación 100%"],
    "?contact_id=contact_2": ["pedido 8", "Pedido_7"],
    "?contact_id=nobody": [],
    "?agent_id=agent_1": ["Reclamación 100%", "Pedido_7"],
    "?agent_id=assistant&contact_id=contact_2": ["pedido 8"],
    "?agent_id=agent_1&contact_id=contact_2": ["Pedido_7"],
    "?agent_id=agent_1&contact_id=nobody": [],
    "?subject=pedido": ["Where is my pedido?", "pedido 8", "Pedido_7"],
    "?subject=RECLAMACION": ["Reclamación 100%"],
    "?subject=100%25": ["Reclamación 100%"],
    "?subject=pedido_": ["Pedido_7"],
    "?subject=email": [],  # the channel of one without a subject
    "?created_after=2027-03-01T12:03:00Z": ["Where is my pedido?", None],
    "?created_after=2027-03-01T12:03:01Z": ["Where is my pedido?"],
    "?created_before=2027-03-01T12:01:00Z": ["Reclamación 100%"],
    "?created_before=2027-03-01T12:02:00.000Z&created_after=2027-03-01T13:00:00%2B01:00": [
        "Reclamación 100%", "Pedido_7",
    ],
    "?created_after=2027-03-01": ALL,
    "?created_before=2027-03-01": [],
    "?created_after=2027-03-01T12:04:00": ["Where is my pedido?"],
    "?status=&channel=&tag=&contact_id=&agent_id=&subject=&created_after=&created_before=": ALL,
    "?status=active&channel=email&tag=ventas&contact_id=contact_1": [None],
    "?anything=else": ALL,
}  # fmt: skip


@pytest.mark.contract(
    "workspace: GET /v1/conversations?status=&channel=", "behaviour: An empty optional query parameter"
)
@pytest.mark.parametrize("query", FILTERS)
def test_filters(shelf, query):
    assert listed(shelf, query) == FILTERS[query]
    answer = ok(shelf.get(f"/v1/conversations{query}"))
    assert answer["pagination"] == {"limit": 20, "offset": 0, "total": len(FILTERS[query]), "has_more": False}


@pytest.mark.contract("workspace: GET /v1/conversations?status=&channel=", "README: limit, page, offset: whole numbers")
@pytest.mark.parametrize("query", ["", "&channel=email", "&contact_id=contact_2", "&order=asc"])
def test_pages(shelf, query):
    everybody = listed(shelf, f"?limit=100{query}")
    total = len(everybody)
    for limit in (1, 2, total):
        for offset in range(total + 2):
            answer = ok(shelf.get(f"/v1/conversations?limit={limit}&offset={offset}{query}"))
            assert [row["subject"] for row in answer["conversations"]] == everybody[offset : offset + limit]
            assert answer["pagination"] == {
                "limit": limit, "offset": offset, "total": total, "has_more": offset + limit < total,
            }  # fmt: skip


@pytest.mark.contract("README: limit, page, offset: whole numbers")
def test_limits(robot):
    begin(robot)
    assert ok(robot.get("/v1/conversations?limit=101"))["pagination"]["limit"] == 100
    assert ok(robot.get("/v1/conversations?limit=" + "9" * 18))["pagination"]["limit"] == 100
    far = "9" * 18
    assert ok(robot.get(f"/v1/conversations?offset={far}")) == {
        "conversations": [], "pagination": {"limit": 20, "offset": int(far), "total": 1, "has_more": False},
    }  # fmt: skip
    for name, value in [
        ("limit", "0"), ("limit", "-1"), ("limit", "x"), ("limit", "1.0"), ("limit", "1" + "0" * 18), ("limit", "１"),
        ("offset", "-1"), ("offset", "x"), ("status", "open"), ("status", "ACTIVE"), ("order", "up"),
        ("channel", "x" * 51), ("tag", "x" * 51), ("contact_id", "x" * 65), ("subject", "x" * 256),
        ("subject", "%00"), ("created_after", "yesterday"), ("created_before", "2027-13-01"),
        ("created_after", "9999-12-31T23:59:59-23:59"), ("created_before", "1"),
    ]:  # fmt: skip
        assert wrong_fields(robot.get(f"/v1/conversations?{name}={value}")) == [name], value


@pytest.mark.contract("behaviour: Totals (total, totalItems")
def test_totals_beyond_ten_thousand_are_capped(acme, robot, monkeypatch):
    monkeypatch.setattr("chatplatform.dialects.counting.CAP", 3)
    for n in range(5):
        begin(robot, subject=f"Order {n}")
    for query in ("", "&channel=whatsapp", "&contact_id=contact_1"):
        capped = ok(robot.get(f"/v1/conversations?limit=2{query}"))["pagination"]
        assert capped == {"limit": 2, "offset": 0, "total": 3, "total_is_capped": True, "has_more": True}
        middle = ok(robot.get(f"/v1/conversations?limit=2&offset=2{query}"))["pagination"]
        assert middle["has_more"] is True
        last = ok(robot.get(f"/v1/conversations?limit=2&offset=4{query}"))
        assert (len(last["conversations"]), last["pagination"]["has_more"]) == (1, False)


def test_whoever_left_is_not_found_by_their_conversations(robot):
    made = begin(robot)
    ok(robot.delete(path_of(made, "participants", made["participants"][0]["id"])), 204)
    assert listed(robot, "?contact_id=contact_1") == []
    assert listed(robot, "?agent_id=agent_1") == [None]
    ok(robot.post(path_of(made, "participants"), CUSTOMER), 201)
    assert listed(robot, "?contact_id=contact_1") == [None]


@pytest.mark.contract("mapping: conversation's id |")
def test_the_same_conversations_as_in_other_dialects(shelf, desk):
    rows = {row.pk: f"conv_{row.uuid.hex}" for row in Conversation.objects.all()}
    shown = [row["id"] for row in ok(shelf.get("/v1/conversations"))["conversations"]]
    assert [rows[number] for number in listed_by_assistant(desk)] == shown
    assert row_of({"id": shown[0]}).activity_at - row_of({"id": shown[-1]}).activity_at == timedelta(minutes=4)
