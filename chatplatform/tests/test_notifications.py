"""What webhooks say of each event: the contract's JSON, in `workspace`'s words."""

import contextlib
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from chatplatform.dialects.workspace.notifications import render
from chatplatform.tests.admin_world import browser_of
from chatplatform.tests.doors import DIALECTS, Doors
from chatplatform.tests.samples import PNG
from chatplatform.tests.store import statements
from chatplatform.tests.test_admin_writes import form_of
from chatplatform.tests.uploading import bring, content, fetch
from chatplatform.tests.workspace import AGENT, CUSTOMER, begin, ok, path_of, row_of, say
from clients.callers import system_caller
from clients.models import Contact
from conversations.actions import mark_read, update_conversation
from conversations.feed import Told
from conversations.models import Conversation, Event
from messaging.actions import add_note, clear_flag
from messaging.erasure import erase_contact
from messaging.models import Message
from messaging.senders import as_agent

pytestmark = pytest.mark.usefixtures("clock", "plain_static_files")
COLUMNS = ("id", "uuid", "client_id", "conversation_id", "kind", "data", "created_at")


def events(after: int = 0) -> list[Told]:
    return list(Event.objects.filter(pk__gt=after).order_by("id").values(*COLUMNS))


def told(after: int = 0) -> list[Any]:
    bodies = render(events(after))
    return [json.loads(bodies[pk]) for pk in sorted(bodies)]


def latest() -> int:
    return Event.objects.latest("id").pk


@pytest.mark.contract(
    "workspace: (participant in place of message for participant events",
    "behaviour: conversation.updated tells",
    "workspace: Ids are strings with a prefix",
)
def test_every_event_is_told_in_the_contracts_form(acme, robot, clock):
    """exact bodies, in the contract's order of keys"""
    made = begin(robot, CUSTOMER, AGENT, subject="Consulta sobre producto")
    about = {"id": made["id"], "subject": "Consulta sobre producto"}
    clock.shift(timedelta(minutes=5))
    name = acme.contacts[0].name
    message = say(robot, made, "Nuevo mensaje del cliente")
    first, second = told()
    assert first == {"event": "conversation.created", "timestamp": "2027-03-01T12:00:00Z", "conversation": about}
    assert json.dumps(second) == json.dumps(
        {
            "event": "conversation.message.created",
            "timestamp": "2027-03-01T12:05:00Z",
            "conversation": about,
            "message": {
                "id": message["id"],
                "type": "text",
                "text": {"body": "Nuevo mensaje del cliente"},
                "sender": {"contact_id": "contact_1", "name": name},
            },
        }
    )

    now = {"timestamp": "2027-03-01T12:05:00Z", "conversation": about}
    seen = latest()
    joined = ok(robot.post(path_of(made, "participants"), {"agent_id": "assistant", "role": "supervisor"}), 201)
    ok(robot.patch(path_of(made, "participants", joined["id"]), {"permissions": ["read"]}))
    agent = next(person for person in made["participants"] if "agent_id" in person)
    ok(robot.delete(path_of(made, "participants", agent["id"])), 204)
    old = {"id": joined["id"], "role": "supervisor", "permissions": ["read", "write"]}
    assert told(seen) == [
        {"event": "conversation.participant.added", **now, "participant": {**joined, "permissions": ["read"]}},
        {
            "event": "conversation.updated", **now,
            "changes": {"participant": [old, {**old, "permissions": ["read"]}]},
        },
        {"event": "conversation.participant.removed", **now, "participant": agent},
        {"event": "conversation.updated", **now, "changes": {"agent_id": ["agent_1", None]}},
    ]  # fmt: skip

    seen = latest()
    ok(robot.patch(path_of(made), {"subject": "", "tags": ["vip"], "status": "escalated", "metadata": {"order": 7}}))
    changed = {
        "timestamp": now["timestamp"], "conversation": {"id": made["id"], "subject": None},
    }  # fmt: skip
    after = {"order": 7, "state_changed_at": "2027-03-01T12:05:00Z", "previous_state": "active"}
    assert told(seen) == [
        {
            "event": "conversation.updated", **changed,
            "changes": {
                "subject": ["Consulta sobre producto", None], "tags": [[], ["vip"]],
                "status": ["active", "escalated"], "metadata": [{}, after],
            },
        }
    ]  # fmt: skip

    seen, row, by = latest(), row_of(made), system_caller(acme.client)
    update_conversation(conversation=row, by=by, queue="night", channel="fax", is_archived=True, is_pinned=True)
    mark_read(conversation=row, by=by)
    reasons = [{"rule": "x", "points": 1, "detail": ""}]
    Message.objects.filter(conversation=row).update(is_flagged=True, flag_reasons=reasons)
    shown = {**second["message"], "metadata": {"seen": True}}
    flagged = {"flagged": True, "flag_reasons": reasons}
    ok(robot.patch(path_of(made, "messages", message["id"]), {"metadata": {"seen": True}}))
    before_clearing = told(seen)
    changes = {
        "queue": [None, "night"], "channel": ["whatsapp", "fax"], "archived": [False, True], "pinned": [False, True],
    }  # fmt: skip
    updated = {"event": "conversation.message.updated", **changed, "message": shown}
    metadata = {**updated, "changes": {"metadata": [{}, {"seen": True}]}}
    assert before_clearing == [
        {"event": "conversation.updated", **changed, "changes": changes},
        {"event": "conversation.read", **changed, "by": acme.client.name},
        {**metadata, "message": {**shown, **flagged}},
    ]
    clear_flag(conversation=row, by=by, message_id=Message.objects.get(conversation=row).pk)
    assert told(seen)[2:] == [metadata, {**updated, "changes": {"flagged": [True, False]}}]

    seen = latest()
    ok(robot.delete(path_of(made, "messages", message["id"])), 204)
    ok(robot.delete(path_of(made)), 204)
    gone = {"id": message["id"], "deleted": True}
    assert told(seen) == [
        {"event": "conversation.message.updated", **changed, "message": gone, "deleted": True},
        {"event": "conversation.deleted", **changed, "by": acme.api_token.token.name},
    ]
    assert [body["message"] for body in told() if "message" in body] == [gone] * 4  # what it said is not told any more


def test_messages_of_each_type_are_shown_as_the_api_shows_them(acme, robot, settings):
    settings.PUBLIC_URL = "https://chat.example.com"
    made = begin(robot)
    file_id = bring(robot, made)
    bodies = {
        "image": {"file_id": file_id, "caption": "My parcel"},
        "video": {"url": "https://example.com/door.mp4"},
        "location": {"latitude": 1.5, "longitude": 2, "name": "Depot"},
        "contact": {"formatted_name": "Budi S."},
    }
    seen = latest()
    for kind, body in bodies.items():
        given = {"type": kind, kind: body, "sender": AGENT, "metadata": {"n": 1}}
        ok(robot.post(path_of(made, "messages"), given), 201)
    shown = [body["message"] for body in told(seen)]
    listed = ok(robot.get(path_of(made, "messages?order=asc")))["messages"]
    url = shown[0]["image"]["url"]
    assert url.startswith("https://chat.example.com/files/")
    assert content(fetch(url)) == PNG
    for message, of_list in zip(shown, listed, strict=True):
        left_out = {name: of_list.pop(name) for name in ("conversation_id", "timestamp", "status")}
        assert left_out["status"] == "sent"
        of_list.get("image", {}).update({"url": url} if message["type"] == "image" else {})
        assert message == of_list


@pytest.mark.contract("behaviour: Private notes (staff to staff")
def test_notes_and_messages_that_are_held_again_are_told_to_nobody(acme, robot):
    made = begin(robot)
    seen, row = latest(), row_of(made)
    add_note(conversation=row, sender=as_agent(acme.agents[0]), text="A known complainer")
    assert [event["kind"] for event in events(seen)] == ["conversation.note.created"]
    assert told(seen) == []
    say(robot, made, "Sells")
    assert len(told(seen)) == 1
    Message.objects.filter(text="Sells").update(visibility="held")
    assert told(seen) == []
    assert render([]) == {}


def test_what_is_gone_breaks_nothing(acme, robot):
    """An erased contact, and rows that retention took between the event and its telling."""
    made = begin(robot, subject="Juan's parcel")
    say(robot, made, "My name is Juan", metadata={"name": "Juan"})
    ok(robot.post(path_of(made, "participants"), {"agent_id": "assistant"}), 201)
    ok(robot.patch(path_of(made), {"subject": "About Juan"}))
    erase_contact(contact=Contact.objects.get(contact_id="contact_1", client=acme.client))
    created, message, added, updated = told()
    assert created["conversation"] == {"id": made["id"], "subject": None}
    assert message["message"]["text"] == {"body": "[erased]"}
    assert message["message"]["sender"]["name"] == "Erased contact"
    assert "metadata" not in message["message"]
    assert updated["changes"] == {"subject": [None, None]}
    assert "Juan" not in json.dumps([created, message, added, updated])
    Event.objects.create(
        client=acme.client, conversation=row_of(made), kind="conversation.updated",
        data={"changes": {"participant": [None, None], "queue": [None, None], "agent_id": [None, None]}},
    )  # fmt: skip
    assert told(latest() - 1)[0]["changes"] == {
        "participant": [None, None], "queue": [None, None], "agent_id": [None, None]
    }  # fmt: skip

    kept = events()
    missing = [
        {**kept[1], "id": 1, "data": {"message": str(uuid4()), "seq": 1}},
        {**kept[2], "id": 2, "data": {"participant": str(uuid4())}},
        {**kept[0], "id": 3, "conversation_id": 0},
    ]
    bodies = {pk: json.loads(body) for pk, body in render(missing).items()}
    assert bodies.keys() == {1, 2}
    assert bodies[1]["message"] == {"id": f"msg_{missing[0]['data']['message'].replace('-', '')}", "deleted": True}
    assert bodies[2]["participant"] == {
        "id": f"participant_{missing[1]['data']['participant'].replace('-', '')}"
    }  # fmt: skip


@pytest.mark.contract("workspace: Whatever dialect or admin made the change")
def test_what_every_dialect_and_the_admin_do_is_told(acme):
    """Also where nobody has an id of the workspace's own; nothing of what was rolled back."""
    doors = Doors(acme)
    for dialect in DIALECTS:
        doors.make(dialect)
    row = Conversation.objects.latest("id")
    ok(doors.assistant().post(f"/chat/conversations/{row.pk}/messages", {"content": "Hi"}))
    assert form_of(browser_of(doors.desk), row, title="By hand").status_code == 302
    bodies = told()
    assert len(bodies) == Event.objects.count()
    assert [body["event"] for body in bodies].count("conversation.created") == len(DIALECTS)
    assert bodies[-2]["message"]["sender"] == {"user_id": str(doors.maya.uuid), "name": doors.maya.name}
    assert bodies[-1]["conversation"] == {"id": f"conv_{row.uuid.hex}", "subject": "By hand"}
    assert bodies[-1]["changes"] == {"subject": [row.title, "By hand"]}

    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        update_conversation(conversation=row, by=system_caller(acme.client), title="Undone")
        raise ZeroDivisionError
    assert told() == bodies


def test_many_events_need_as_few_queries(acme, robot):
    def fill() -> None:
        made = begin(robot)
        file_id = bring(robot, made)
        ok(
            robot.post(path_of(made, "messages"), {"type": "image", "image": {"file_id": file_id}, "sender": AGENT}),
            201,
        )
        ok(robot.post(path_of(made, "participants"), {"agent_id": "assistant"}), 201)
        ok(robot.patch(path_of(made), {"tags": ["vip"]}))

    fill()
    few = len(statements(lambda: render(events())))
    for _ in range(5):
        fill()
    assert (few, len(statements(lambda: render(events())))) == (5, 5)  # one of them reads the events
