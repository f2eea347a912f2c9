"""contracts/assistant.md, calls 7 and 8, and behaviour.md, States: changes, deletion, the state machine."""

import json

import pytest

from chatplatform.tests.store import events_of, everything, new_conversation, say, superuser, whatsapp_chat
from conversations.models import Conversation, Participant, StateChange

pytestmark = pytest.mark.usefixtures("clock")
STATES = ["new", "active", "waiting_for_customer", "escalated", "resolved", "closed"]
ALLOWED = {
    "new": {"active", "waiting_for_customer", "escalated", "resolved", "closed"},
    "active": {"waiting_for_customer", "escalated", "resolved", "closed"},
    "waiting_for_customer": {"active", "escalated", "resolved", "closed"},
    "escalated": {"active", "waiting_for_customer", "resolved", "closed"},
    "resolved": {"active", "closed"},
    "closed": set(),
}
CLOSED = {"success": False, "message": "Conversation is closed"}


@pytest.fixture
def number(maya):
    return new_conversation(maya)


@pytest.fixture
def url(number):
    return f"/chat/conversations/{number}"


def details(api, url):
    return api.get(url).json()["data"]


@pytest.mark.contract("assistant: PUT /chat/conversations/{id} (PATCH too)")
@pytest.mark.parametrize("method", ["put", "patch"])
def test_update(maya, url, number, acme, method, clock):
    """7 (PUT, PATCH too): "Conversation updated successfully"; {"conversation_id"}"""
    clock.shift(5)
    change = {
        "title": "Parcel BD-20591", "agent_id": acme.agents[1].pk, "status": "escalated", "is_archived": True,
        "is_pinned": True, "conversation_type": "support",
    }  # fmt: skip
    answer = getattr(maya, method)(url, change)
    assert json.dumps(answer.json()) == json.dumps(
        {"success": True, "message": "Conversation updated successfully", "data": {"conversation_id": number}}
    )
    after = details(maya, url)
    assert {name: after[name] for name in change} == change
    assert after["updated_at"] == "2027-03-01T12:00:05Z"


@pytest.mark.contract("behaviour: changes is {field: [old, new]}", "behaviour: conversation.updated tells state, tags")
def test_an_update_is_told_once(maya, url, number):
    """One event for each change; none where everything has its value already"""
    told = len(events_of(number))
    maya.put(url, {"title": "Parcel", "is_pinned": True, "status": "active"})
    maya.put(url, {"title": "Parcel", "is_pinned": True, "status": "active"})
    maya.put(url, {})
    assert events_of(number)[told:] == [
        ("conversation.updated", {"title": ["Where is my parcel?", "Parcel"], "is_pinned": [False, True]})
    ]


@pytest.mark.contract(
    "assistant: PUT /chat/conversations/{id} (PATCH too)", "behaviour: agent_id is the assigned agent"
)
def test_the_agent_in_charge(maya, desk, url, number, acme):
    """agent_id: an agent takes part from then on; null is nobody; a bot that is relieved leaves"""
    person, bot = acme.agents
    for agent in (bot, person, None):
        assert maya.put(url, {"agent_id": agent and agent.pk}).status_code == 200
        assert details(maya, url)["agent_id"] == (agent and agent.pk)
    assert set(Participant.objects.present().filter(agent__isnull=False).values_list("agent", flat=True)) == {person.pk}
    assert Conversation.objects.get().participant_count == 2


@pytest.mark.contract("behaviour: In a create, null for", "assistant: Errors: 400 validation")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": None}, "title"), ({"title": ""}, "title"), ({"title": " "}, "title"), ({"title": 5}, "title"),
        ({"title": "x" * 256}, "title"), ({"status": None}, "status"), ({"status": "open"}, "status"),
        ({"status": ["active"]}, "status"), ({"status": 1}, "status"), ({"status": ""}, "status"),
        ({"is_archived": None}, "is_archived"), ({"is_archived": 1}, "is_archived"),
        ({"is_pinned": "true"}, "is_pinned"), ({"is_pinned": []}, "is_pinned"),
        ({"conversation_type": None}, "conversation_type"), ({"conversation_type": ""}, "conversation_type"),
        ({"agent_id": "1"}, "agent_id"), ({"agent_id": True}, "agent_id"), ({"agent_id": 1.5}, "agent_id"),
        ({"title": "A good one", "is_pinned": "no"}, "is_pinned"),
    ],
)  # fmt: skip
def test_update_refuses(maya, url, body, field):
    """In an update `null` is a validation error for a field that may not be empty; nothing is written"""
    before = everything()
    answer = maya.put(url, body)
    assert (answer.status_code, answer.json()["message"]) == (400, "Validation error")
    assert list(answer.json()["errors"]) == [field]
    assert everything() == before


@pytest.mark.contract("assistant: Errors: 400 validation")
def test_an_agent_that_is_not_there(maya, url, acme, rival, api):
    """404 "Agent not found", and no agent of another client, not even for a superuser"""
    before = everything()
    system = acme.client.agents.get(kind="system").pk
    for agent_id in (10**9, 0, -1, system, rival.agents[0].pk):
        answer = maya.put(url, {"agent_id": agent_id, "title": "Changed"})
        assert (answer.status_code, answer.json()) == (404, {"success": False, "message": "Agent not found"})
    assert everything() == before
    root = api(superuser())
    before = everything()
    answer = root.put(url, {"agent_id": rival.agents[0].pk})
    assert (answer.status_code, answer.json()["message"]) == (404, "Agent not found")
    assert everything() == before
    assert root.put(url, {"agent_id": acme.agents[0].pk}).status_code == 200


@pytest.mark.contract(
    "behaviour: A state change that is not allowed",
    "behaviour: On a change of state the server's",
    "behaviour: changes is {field: [old, new]}",
    "mapping: A status that a dialect documents as free text",
)
@pytest.mark.parametrize("old", STATES)
def test_the_state_machine(maya, url, number, old):
    """409 with a message that names both states; the same state again is 200 and no event"""
    row = Conversation.objects.filter(pk=number)
    for new in STATES:
        row.update(status=old, metadata={"order": 7, "previous_state": "mine"})
        StateChange.objects.all().delete()
        told = len(events_of(number))
        answer = maya.put(url, {"status": new})
        history = list(StateChange.objects.values_list("old", "new", "by_user_id"))
        news = events_of(number)[told:]
        if new == old:
            assert (answer.status_code, history, news) == (200, [], [])
        elif new in ALLOWED[old]:
            assert answer.status_code == 200
            assert history == [(old, new, row.get().owner_id)]
            assert news == [("conversation.updated", {"status": [old, new]})]
            assert row.get().metadata == {
                "order": 7, "state_changed_at": "2027-03-01T12:00:00Z", "previous_state": old,
            }  # fmt: skip
        else:
            said = "Conversation is closed" if old == "closed" else f"Cannot change status from {old} to {new}"
            assert (answer.status_code, answer.json()) == (409, {"success": False, "message": said})
            assert (row.get().status, history, news) == (old, [], [])


@pytest.mark.contract(
    "assistant: A closed conversation takes no message",
    "behaviour: On a closed conversation",
    "assistant: Errors: 400 validation",
)
def test_a_closed_conversation(maya, desk, url, number, acme):
    """takes no message and no change but `is_archived` and `is_pinned` (409); reading, marking read and
    deleting are allowed"""
    say(desk, number, "Goodbye", sender_type="agent")
    maya.put(url, {"status": "closed"})
    before = everything()
    for change in ({"title": "x"}, {"status": "active"}, {"agent_id": acme.agents[0].pk}, {"conversation_type": "x"},
                   {"is_pinned": True, "title": "x"}):  # fmt: skip
        answer = desk.put(url, change)
        assert (answer.status_code, answer.json()) == (409, CLOSED)
    for api, sender in ((maya, "user"), (desk, "user"), (desk, "agent")):
        answer = api.post(f"{url}/messages", {"content": "One more thing", "sender_type": sender})
        assert (answer.status_code, answer.json()) == (409, CLOSED)
    assert everything() == before
    assert maya.put(url, {"is_archived": True, "is_pinned": True}).status_code == 200
    assert (details(maya, url)["is_archived"], details(maya, url)["is_pinned"]) == (True, True)
    assert maya.get(f"{url}/messages").json()["data"]["total"] == 1
    assert maya.post(f"{url}/read").status_code == 200
    assert details(maya, url)["unread_count"] == 0
    assert maya.delete(url).status_code == 200


@pytest.mark.contract("workspace: A customer's message reopens", "behaviour: whatsapp, rooms | new")
@pytest.mark.parametrize(
    ("old", "customer", "agent"),
    [
        ("new", "new", "active"), ("active", "active", "active"),
        ("waiting_for_customer", "active", "waiting_for_customer"),
        ("escalated", "escalated", "escalated"), ("resolved", "active", "resolved"),
    ],
)  # fmt: skip
def test_what_a_message_does_to_the_state(maya, desk, url, number, old, customer, agent):
    """workspace.md: a customer's message reopens a resolved one and ends waiting; behaviour.md: the first
    message of an agent makes a new one active; a colleague's note as `user` changes nothing"""
    row = Conversation.objects.filter(pk=number)
    for api, sender, expected in ((maya, "user", customer), (desk, "agent", agent), (desk, "user", old)):
        row.update(status=old)
        told = len(events_of(number))
        say(api, number, "Hello", sender_type=sender)
        assert row.get().status == expected
        changes = [("conversation.updated", {"status": [old, expected]})] if expected != old else []
        assert events_of(number)[told:] == [("conversation.message.created", None), *changes]


@pytest.mark.contract("behaviour: whatsapp, rooms | new", "behaviour: workspace, assistant, platform | active")
def test_made_as(maya, api, number):
    """behaviour.md, States: made through `assistant` → `active`, `whatsapp` → `new`, or `resolved`"""
    assert Conversation.objects.get(pk=number).status == "active"
    assert whatsapp_chat(api).status == "new"
    assert whatsapp_chat(api, finished_chat=True).status == "resolved"


@pytest.mark.contract(
    "assistant: DELETE /chat/conversations/{id}",
    "README: Unknown, foreign and deleted ids",
    "assistant: Errors: 400 validation",
)
def test_delete(maya, omar, desk, url, number, acme, clock):
    """8: "Conversation deleted successfully"; {"conversation_id"}; gone from every list and look-up"""
    say(maya, number, "Hello")
    absent = "/chat/conversations/999999999"
    answer = maya.delete(url)
    assert json.dumps(answer.json()) == json.dumps(
        {"success": True, "message": "Conversation deleted successfully", "data": {"conversation_id": number}}
    )
    before = everything()
    for api in (maya, desk):
        assert api.get("/chat/conversations").json()["data"]["total"] == 0
        assert api.get("/chat/conversations?search=parcel").json()["data"]["total"] == 0
        for method, suffix, body in [
            ("GET", "", None), ("PUT", "", {"title": "x"}), ("PATCH", "", {"is_archived": True}), ("DELETE", "", None),
            ("GET", "/messages", None), ("POST", "/messages", {"content": "x"}), ("POST", "/read", None),
        ]:  # fmt: skip
            gone, never = api(method, url + suffix, body), api(method, absent + suffix, body)
            assert (gone.status_code, gone.content) == (never.status_code, never.content)
            assert (gone.status_code, gone.json()["message"]) == (404, "Conversation not found")
    assert everything() == before
    assert events_of(number)[-1][0] == "conversation.deleted"
