"""contracts/workspace.md, "Conversations": making, reading, changing, deleting."""

import json
from typing import Any

import pytest

from chatplatform.tests import store
from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything
from clients.actions import create_agent, create_contact
from clients.models import Agent, Contact
from conversations.models import Conversation, Participant, StateChange
from conversations.states import ALLOWED, Status

pytestmark = pytest.mark.usefixtures("clock")


def people_of(answer: Any) -> list[Any]:
    return [person.get("contact_id") or person["agent_id"] for person in answer["participants"]]


# --- making ---


@pytest.mark.contract(
    "workspace: at least one {contact_id or agent_id", "workspace: Made here: active",
    "behaviour: workspace, assistant, platform | active", "mapping: participant with contact_id",
    "README: Timestamps are UTC",
)  # fmt: skip
def test_a_new_conversation_is_answered_whole(acme, robot):
    answer = ws.begin(
        robot, {"contact_id": "contact_1", "role": "customer"}, {"agent_id": "agent_1", "role": "agent"},
        subject="Consulta sobre producto", tags=["soporte", "producto"], metadata={"order": {"lines": [1, None]}},
    )  # fmt: skip
    row = Conversation.objects.get()
    customer, agent = Participant.objects.filter(conversation=row).order_by("id")
    assert list(answer) == [
        "id", "status", "created_at", "updated_at", "participants", "channel", "subject", "tags", "metadata",
        "message_count", "last_message_at", "queue",
    ]  # fmt: skip
    assert answer == {
        "id": f"conv_{row.uuid.hex}",
        "status": "active",
        "created_at": ws.AT,
        "updated_at": ws.AT,
        "participants": [
            {
                "id": f"participant_{customer.uuid.hex}", "contact_id": "contact_1", "role": "customer",
                "permissions": ["read", "write"], "joined_at": ws.AT,
            },
            {
                "id": f"participant_{agent.uuid.hex}", "agent_id": "agent_1", "role": "agent",
                "permissions": ["read", "write"], "joined_at": ws.AT,
            },
        ],
        "channel": "whatsapp",
        "subject": "Consulta sobre producto",
        "tags": ["soporte", "producto"],
        "metadata": {"order": {"lines": [1, None]}},
        "message_count": 0,
        "last_message_at": None,
        "queue": None,
    }  # fmt: skip
    assert (row.client, row.owner, row.participant_count) == (acme.client, None, 2)
    assert row.assigned_agent == acme.agents[0]
    assert events_of(row.pk) == [("conversation.created", None)]


@pytest.mark.contract("workspace: Without a subject", "behaviour: In a create, null for an optional field")
def test_optional_fields_may_be_left_out_null_or_empty(robot):
    plain = ws.begin(robot)
    assert (plain["subject"], plain["tags"], plain["metadata"]) == (None, [], {})
    nulls = ws.begin(robot, {**ws.CUSTOMER, "agent_id": None, "role": None, "permissions": None},
                  subject=None, tags=None, metadata=None)  # fmt: skip
    assert (nulls["subject"], nulls["tags"], nulls["metadata"]) == (None, [], {})
    assert nulls["participants"][0]["role"] == "customer"
    for blank in ("", " ", "\n\t"):
        assert ws.begin(robot, subject=blank)["subject"] is None
        assert ws.ok(robot.patch(ws.path_of(nulls), {"subject": blank}))["subject"] is None


@pytest.mark.contract(
    "workspace: at least one {contact_id or agent_id", 'workspace: default ["read", "write"] (on create too)'
)
def test_participants_stand_in_the_order_given_each_with_its_role(acme, robot):
    create_agent(client=acme.client, agent_id="senior_agent_001", name="Senior")
    for number in range(3):
        create_contact(client=acme.client, contact_id=f"c{number}", name=f"Contact {number}")
    answer = ws.begin(
        robot,
        {"contact_id": "c2", "permissions": ["write"]}, {"agent_id": "senior_agent_001", "role": "manager"},
        {"contact_id": "c0", "role": "participant"}, {"agent_id": "agent_1", "permissions": []},
        {"contact_id": "c1", "permissions": ["manage", "read", "read"]}, {"agent_id": "assistant"},
    )  # fmt: skip
    assert people_of(answer) == ["c2", "senior_agent_001", "c0", "agent_1", "c1", "assistant"]
    assert [(person["role"], person["permissions"]) for person in answer["participants"]] == [
        ("customer", ["write"]), ("manager", ["read", "write"]), ("participant", ["read", "write"]), ("agent", []),
        ("customer", ["read", "manage"]), ("agent", ["read", "write"]),
    ]  # fmt: skip
    assert ws.ok(robot.get(ws.path_of(answer))) == answer
    assert ws.row_of(answer).assigned_agent.agent_id == "senior_agent_001"


@pytest.mark.contract(
    "workspace: unknown contact or agent, both or neither", "workspace: The same person twice is 2002"
)
@pytest.mark.parametrize(
    ("people", "field"),
    [
        ([{"contact_id": "nobody"}], "participants.0.contact_id"),
        ([ws.CUSTOMER, {"agent_id": "nobody"}], "participants.1.agent_id"),
        ([{"contact_id": "rivals"}], "participants.0.contact_id"),
        ([{"contact_id": "erased"}], "participants.0.contact_id"),
        ([{"agent_id": "gone"}], "participants.0.agent_id"),
        ([{"agent_id": "system"}], "participants.0.agent_id"),
        ([{"contact_id": "agent_1"}], "participants.0.contact_id"),
        ([ws.CUSTOMER, {**ws.CUSTOMER, **ws.AGENT}], "participants.1"),
        ([ws.CUSTOMER, {}], "participants.1"),
        ([{"role": "customer"}], "participants.0"),
        ([ws.CUSTOMER, ws.AGENT, ws.CUSTOMER], "participants.2.contact_id"),
        ([ws.AGENT, ws.AGENT], "participants.1.agent_id"),
    ],
)
def test_who_cannot_take_part_is_2002(acme, rival, robot, people, field):
    create_contact(client=rival.client, contact_id="rivals", name="Theirs")
    erased = create_contact(client=acme.client, contact_id="erased", name="Gone")
    Contact.objects.filter(pk=erased.pk).update(erased_at=erased.created_at)
    create_agent(client=acme.client, agent_id="gone", name="Left", is_active=False)
    before = everything()
    answer = robot.post("/v1/conversations", {"participants": people, "channel": "whatsapp"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (422, "2002", "Invalid Participant")
    assert list(error["details"]) == [field]
    assert everything() == before


@pytest.mark.contract("workspace: 2004 | 422", "workspace: At most 100 in a conversation")
def test_over_a_hundred_participants_are_2004(acme, robot):
    Contact.objects.bulk_create(
        Contact(client=acme.client, contact_id=f"c{number}", name=f"Contact {number}") for number in range(101)
    )
    everybody = [{"contact_id": f"c{number}"} for number in range(101)]
    before = everything()
    given = {"participants": everybody, "channel": "whatsapp"}
    ws.assert_refused(robot.post("/v1/conversations", given), "2004")
    unknown = {"participants": [{"contact_id": f"nobody{n}"} for n in range(5000)], "channel": "whatsapp"}
    ws.assert_refused(robot.post("/v1/conversations", unknown), "2004")
    assert everything() == before
    full = ws.begin(robot, *everybody[:100])
    assert len(full["participants"]) == 100
    assert ws.ok(robot.get("/v1/conversations"))["conversations"][0]["participants_count"] == 100
    ws.assert_refused(robot.post(ws.path_of(full, "participants"), everybody[100]), "2004")


DEEP: Any = {"a": {"b": {"c": {"d": {}}}}}


@pytest.mark.contract(
    "workspace: 1003 | 422", "README: Malformed JSON, a body that is not an object",
    "behaviour: Longest values in characters",
)  # fmt: skip
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"participants": []}, "participants"), ({"participants": None}, "participants"),
        ({"participants": {}}, "participants"), ({"participants": "contact_1"}, "participants"),
        ({"participants": ["contact_1"]}, "participants.0.non_field_errors"),
        ({"participants": [{"contact_id": 7}]}, "participants.0.contact_id"),
        ({"participants": [ws.CUSTOMER, {"agent_id": "x" * 65}]}, "participants.1.agent_id"),
        ({"participants": [{**ws.CUSTOMER, "role": "owner"}]}, "participants.0.role"),
        ({"participants": [{**ws.CUSTOMER, "permissions": ["fly"]}]}, "participants.0.permissions.0"),
        ({"participants": [{**ws.CUSTOMER, "permissions": "read"}]}, "participants.0.permissions"),
        ({"channel": None}, "channel"), ({"channel": ""}, "channel"), ({"channel": 7}, "channel"),
        ({"channel": "x" * 51}, "channel"), ({"subject": 7}, "subject"), ({"subject": "x" * 256}, "subject"),
        ({"tags": "soporte"}, "tags"), ({"tags": ["ok", " "]}, "tags.1"), ({"tags": [7]}, "tags.0"),
        ({"tags": ["x" * 51]}, "tags.0"), ({"tags": [str(n) for n in range(101)]}, "tags"),
        ({"metadata": []}, "metadata"), ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": "x" * 16_384}}, "metadata"), ({"metadata": {"a": DEEP}}, "metadata"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(robot, given, field):
    before = everything()
    whole = {"participants": [ws.CUSTOMER], "channel": "whatsapp", **given}
    assert ws.wrong_fields(robot.post("/v1/conversations", whole)) == [field]
    assert everything() == before


@pytest.mark.contract("workspace: 1003 | 422")
def test_what_is_missing_is_named(robot):
    ws.assert_refused(robot.post("/v1/conversations", {}), "1003", {
        "participants": ["This field is required."], "channel": ["This field is required."],
    })  # fmt: skip


@pytest.mark.contract("behaviour: Longest values in characters")
def test_the_longest_values_are_taken(robot):
    room = 16 * 1024 - len(json.dumps({"a": ""}))
    values = {
        "subject": "ß" * 255, "channel": "c" * 50, "tags": ["é" * 50, *(str(n) for n in range(99))],
        "metadata": {"a": "x" * room},
    }  # fmt: skip
    answer = ws.begin(robot, **values)
    assert {name: answer[name] for name in values} == values
    assert ws.begin(robot, metadata=DEEP)["metadata"] == DEEP


@pytest.mark.contract("workspace: at least one {contact_id or agent_id")
def test_tags_are_the_same_whatever_their_case_and_accents(robot):
    first = ws.begin(robot, tags=["Soporte", "  Sopórte ", "alta   prioridad"])
    assert first["tags"] == ["Soporte", "alta prioridad"]
    assert ws.begin(robot, tags=["SOPORTE", "urgente"])["tags"] == ["Soporte", "urgente"]


# --- reading ---


@pytest.mark.contract(
    "workspace: GET /v1/conversations/{id} | | 200", "README: A conversation made through one dialect"
)
def test_a_conversation_of_another_dialect_reads_with_its_user(acme, robot, maya):
    number = store.new_conversation(maya, "Where is my parcel?", agent_id=acme.agents[1].pk)
    store.say(maya, number, "Hello?")
    row = Conversation.objects.get(pk=number)
    answer = ws.ok(robot.get(f"/v1/conversations/conv_{row.uuid.hex}"))
    user = acme.users[0].user
    assert [{k: v for k, v in person.items() if k != "id"} for person in answer["participants"]] == [
        {
            "user_id": str(user.uuid), "name": user.name, "role": "customer",
            "permissions": ["read", "write", "manage"], "joined_at": ws.AT,
        },
        {"agent_id": "assistant", "role": "agent", "permissions": ["read", "write"], "joined_at": ws.AT},
    ]  # fmt: skip
    assert (answer["subject"], answer["channel"], answer["message_count"]) == ("Where is my parcel?", "website", 1)


# --- changing ---


@pytest.mark.contract(
    "workspace: | status, tags, subject, metadata (merged", "workspace: Every change is kept in a history",
    "behaviour: On a change of state the server's",
)  # fmt: skip
def test_one_patch_is_one_change(acme, robot, clock):
    made = ws.begin(robot, subject="Consulta", tags=["soporte", "producto"], metadata={"order": 7, "vip": True})
    clock.shift(60)
    answer = ws.ok(
        robot.patch(
            ws.path_of(made),
            {
                "status": "resolved",
                "subject": "Resuelto",
                "tags": ["producto", "resuelto"],
                "metadata": {
                    "resolution": "Producto enviado", "satisfaction_score": 5, "vip": None,
                    "previous_state": "new", "state_changed_at": "yesterday",
                },
            },
        )
    )  # fmt: skip
    later = "2027-03-01T12:01:00Z"
    metadata = {
        "order": 7, "resolution": "Producto enviado", "satisfaction_score": 5, "previous_state": "active",
        "state_changed_at": later,
    }  # fmt: skip
    assert answer == {
        **made, "status": "resolved", "subject": "Resuelto", "tags": ["producto", "resuelto"], "metadata": metadata,
        "updated_at": later,
    }  # fmt: skip
    assert ws.ok(robot.get(ws.path_of(made))) == answer
    row = ws.row_of(made)
    assert events_of(row.pk)[1:] == [
        (
            "conversation.updated",
            {
                "status": ["active", "resolved"],
                "title": ["Consulta", "Resuelto"],
                "metadata": [{"order": 7, "vip": True}, metadata],
                "tags": [["soporte", "producto"], ["producto", "resuelto"]],
            },
        )
    ]
    change = StateChange.objects.get()
    assert (change.old, change.new, change.by_name, change.by_user) == ("active", "resolved", "First token", None)


@pytest.mark.contract("workspace: | status, tags, subject, metadata (merged", "behaviour: in an update, null clears")
def test_null_clears_what_may_be_empty(robot):
    made = ws.begin(robot, subject="Consulta", tags=["soporte"], metadata={"order": 7})
    answer = ws.ok(robot.patch(ws.path_of(made), {"subject": None, "tags": None, "metadata": None}))
    assert (answer["subject"], answer["tags"], answer["metadata"]) == (None, [], {})
    before = everything()
    assert ws.wrong_fields(robot.patch(ws.path_of(made), {"status": None})) == ["status"]
    assert everything() == before


@pytest.mark.contract("workspace: 1003 | 422", "workspace: | status, tags, subject, metadata (merged")
def test_a_wrong_change_changes_nothing(robot):
    made = ws.begin(robot, subject="Consulta", metadata={"a": "x" * 10_000})
    before = everything()
    for given, field in [
        ({"status": "done"}, "status"), ({"status": 1}, "status"), ({"subject": 7}, "subject"),
        ({"subject": "x" * 256, "status": "resolved"}, "subject"), ({"tags": ["", "a"]}, "tags.0"),
        ({"tags": "a"}, "tags"), ({"metadata": ["a"]}, "metadata"), ({"metadata": {"a": DEEP}}, "metadata"),
        ({"metadata": {"b": "x" * 10_000}, "status": "resolved", "tags": ["a"]}, "metadata"),
    ]:  # fmt: skip
        assert ws.wrong_fields(robot.patch(ws.path_of(made), given)) == [field]
    assert everything() == before


TRANSITIONS = [(old, new) for old in Status.values for new in Status.values if old != new]


@pytest.mark.contract(
    "workspace: States: new, active", "workspace: Allowed changes: new", "workspace: The same state again",
    "workspace: idempotency key reused; a state change", "behaviour: A state change that is not allowed",
    "mapping: finishedChat = resolved or closed",
)  # fmt: skip
@pytest.mark.parametrize("old", Status.values)
def test_states_change_as_the_contract_says_and_in_no_other_way(robot, old):
    allowed = {
        "new": ["active", "waiting_for_customer", "escalated", "resolved", "closed"],
        "active": ["waiting_for_customer", "escalated", "resolved", "closed"],
        "waiting_for_customer": ["active", "escalated", "resolved", "closed"],
        "escalated": ["active", "waiting_for_customer", "resolved", "closed"],
        "resolved": ["active", "closed"],
        "closed": [],
    }[old]
    assert ALLOWED[old] == set(allowed)
    for new in Status.values:
        made = ws.begin(robot)
        Conversation.objects.filter(pk=ws.row_of(made).pk).update(status=old)
        before = everything()
        answer = robot.patch(ws.path_of(made), {"status": new})
        if new == old:
            assert ws.ok(answer)["status"] == old
            assert everything() == before
        elif new in allowed:
            assert ws.ok(answer)["status"] == new
            assert answer.json()["metadata"] == {"state_changed_at": ws.AT, "previous_state": old}
        else:
            if old == "closed":
                ws.assert_refused(answer, "2003")
            else:
                ws.assert_refused(answer, "1006", {"from": old, "to": new})
            assert everything() == before


@pytest.mark.contract(
    "workspace: A closed one takes no message", "workspace: 2003 | 409", "behaviour: On a closed conversation"
)
def test_a_closed_conversation_takes_nothing_but_its_deletion(robot):
    made = ws.begin(robot, tags=["a"])
    message = ws.say(robot, made, "Hello")
    ws.ok(robot.patch(ws.path_of(made), {"status": "closed", "metadata": {"by": "me"}}))
    person = made["participants"][1]["id"]
    before = everything()
    for method, rest, body in [
        ("PATCH", (), {"subject": "x"}), ("PATCH", (), {"tags": []}), ("PATCH", (), {"metadata": {"by": None}}),
        ("PATCH", (), {"status": "active"}), ("POST", ("participants",), {"agent_id": "assistant"}),
        ("PATCH", ("participants", person), {"role": "manager"}), ("DELETE", ("participants", person), None),
        ("POST", ("messages",), {"type": "text", "text": {"body": "x"}, "sender": ws.CUSTOMER}),
        ("PATCH", ("messages", message["id"]), {"metadata": {"edited": True}}),
        ("PATCH", ("messages", message["id"]), {"status": "read", "metadata": {"edited": True}}),
    ]:  # fmt: skip
        ws.assert_refused(robot(method, ws.path_of(made, *rest), body), "2003")
    assert everything() == before
    assert ws.ok(robot.patch(ws.path_of(made, "messages", message["id"]), {"status": "read"}))["status"] == "read"
    assert ws.ok(robot.get(ws.path_of(made)))["status"] == "closed"
    assert len(ws.ok(robot.get(ws.path_of(made, "messages")))["messages"]) == 1
    assert robot.delete(ws.path_of(made)).status_code == 204


@pytest.mark.contract("workspace: A customer's message reopens")
@pytest.mark.parametrize(
    ("status", "sender", "after"),
    [
        ("resolved", ws.CUSTOMER, "active"), ("waiting_for_customer", ws.CUSTOMER, "active"),
        ("escalated", ws.CUSTOMER, "escalated"), ("resolved", ws.AGENT, "resolved"),
        ("waiting_for_customer", ws.AGENT, "waiting_for_customer"),
    ],
)  # fmt: skip
def test_a_customers_message_reopens(robot, status, sender, after):
    made = ws.begin(robot)
    ws.ok(robot.patch(ws.path_of(made), {"status": status}))
    ws.say(robot, made, "One more thing", sender)
    answer = ws.ok(robot.get(ws.path_of(made)))
    assert (answer["status"], answer["message_count"]) == (after, 1)
    if after != status:
        assert answer["metadata"] == {"state_changed_at": ws.AT, "previous_state": status}
        assert events_of(ws.row_of(made).pk)[-1] == ("conversation.updated", {"status": [status, after]})


# --- deleting ---


@pytest.mark.contract("workspace: DELETE /v1/conversations/{id} | | 204", "README: Unknown, foreign and deleted ids")
def test_deleting(robot, desk):
    made, other = ws.begin(robot), ws.begin(robot)
    message = ws.say(robot, made, "Hello")
    answer = robot.delete(ws.path_of(made))
    assert (answer.status_code, answer.content) == (204, b"")
    for method, rest in [("GET", ()), ("DELETE", ()), ("GET", ("messages", message["id"])), ("GET", ("metrics",))]:
        ws.assert_refused(robot(method, ws.path_of(made, *rest)), "2001")
    assert [row["id"] for row in ws.ok(robot.get("/v1/conversations"))["conversations"]] == [other["id"]]
    assert desk.get(f"/chat/conversations/{ws.row_of(made).pk}").status_code == 404
    assert events_of(ws.row_of(made).pk)[-1] == ("conversation.deleted", None)


@pytest.mark.contract("README: One store of conversations", "README: A conversation made through one dialect")
def test_other_dialects_read_and_change_what_is_made_here(acme, robot, desk):
    made = ws.begin(robot, subject="Consulta")
    ws.ok(robot.post(ws.path_of(made, "messages"), {
        "type": "image", "image": {"url": "https://cdn.example.com/p/photo.jpg"}, "sender": ws.CUSTOMER,
    }), 201)  # fmt: skip
    number = ws.row_of(made).pk
    shown = desk.get(f"/chat/conversations/{number}").json()["data"]
    assert (shown["title"], shown["agent_id"], shown["unread_count"]) == ("Consulta", acme.agents[0].pk, 1)
    [message] = desk.get(f"/chat/conversations/{number}/messages").json()["data"]["messages"]
    assert (message["content"], message["content_type"]) == ("[image] photo.jpg", "image")
    [attachment] = message["attachments"]
    assert {k: v for k, v in attachment.items() if k != "uuid"} == {
        "file_name": "photo.jpg", "file_type": "image/jpeg", "file_size": None,
        "url": "https://cdn.example.com/p/photo.jpg",
    }  # fmt: skip
    assert desk.patch(f"/chat/conversations/{number}", {"status": "escalated", "title": "VIP"}).status_code == 200
    answer = ws.ok(robot.get(ws.path_of(made)))
    assert (answer["status"], answer["subject"]) == ("escalated", "VIP")
    assert desk.delete(f"/chat/conversations/{number}").status_code == 200
    ws.assert_refused(robot.get(ws.path_of(made)), "2001")


@pytest.mark.contract("behaviour: use_bot is true by default", "mapping: an ai agent among the participants")
def test_no_bot_by_default_and_an_ai_agent_among_the_participants(acme, robot):
    row = ws.row_of(ws.begin(robot, ws.CUSTOMER, {"agent_id": "assistant"}))
    assert row.use_bot is False
    assert (row.assigned_agent, row.assigned_agent.kind) == (acme.agents[1], Agent.Kind.AI)
