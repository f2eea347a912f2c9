"""contracts/workspace.md, "Conversations": making and reading."""

import json
from typing import Any

import pytest

from chatplatform.tests import store
from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything
from clients.actions import create_agent, create_contact
from clients.models import Contact
from conversations.models import Conversation, Participant

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
        ({"metadata": {"a": "x" * 16_384}}, "metadata"), ({"metadata": {"a": ws.DEEP}}, "metadata"),
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
    assert ws.begin(robot, metadata=ws.DEEP)["metadata"] == ws.DEEP


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
