"""contracts/workspace.md, "Participants"."""

import pytest
from django.test import override_settings

from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything, new_conversation
from clients.actions import create_contact
from clients.models import Agent
from conversations.models import Conversation, Participant
from messaging.integrity import verify
from messaging.models import Message

pytestmark = pytest.mark.usefixtures("clock")
ONE = "Exactly one of contact_id and agent_id is required."


@pytest.fixture
def supervisor(acme):
    return create_contact(client=acme.client, contact_id="contact_999", name="Sonia")


@pytest.mark.contract(
    "workspace: role (customer, agent, supervisor", "workspace: in the order given, later ones appended"
)
def test_adding(robot, supervisor, clock):
    made = ws.begin(robot)
    clock.shift(60)
    added = ws.ok(
        robot.post(
            ws.path_of(made, "participants"),
            {"contact_id": "contact_999", "role": "supervisor", "permissions": ["read", "write"]},
        ),
        201,
    )
    row = ws.row_of(made)
    person = Participant.objects.get(conversation=row, contact=supervisor)
    assert added == {
        "id": f"participant_{person.uuid.hex}", "contact_id": "contact_999", "role": "supervisor",
        "permissions": ["read", "write"], "joined_at": "2027-03-01T12:01:00Z",
    }  # fmt: skip
    answer = ws.ok(robot.get(ws.path_of(made)))
    assert answer["participants"] == [*made["participants"], added]
    assert answer["updated_at"] == "2027-03-01T12:01:00Z"
    assert ws.ok(robot.get("/v1/conversations"))["conversations"][0]["participants_count"] == 3
    assert events_of(row.pk)[1:] == [("conversation.participant.added", None)]


@pytest.mark.contract('workspace: default ["read", "write"] (on create too)')
def test_roles_and_permissions_of_who_joins(robot, supervisor):
    made = ws.begin(robot)
    plain = ws.ok(robot.post(ws.path_of(made, "participants"), {"contact_id": "contact_999"}), 201)
    assert (plain["role"], plain["permissions"]) == ("participant", ["read", "write"])
    nulls = {"agent_id": "assistant", "role": None, "permissions": None, "contact_id": None}
    bot = ws.ok(robot.post(ws.path_of(made, "participants"), nulls), 201)
    assert (bot["role"], bot["permissions"]) == ("participant", ["read", "write"])


@pytest.mark.contract("workspace: The same person twice is 2002", "workspace: 2002 | 422")
def test_who_cannot_join_is_2002(acme, rival, robot):
    create_contact(client=rival.client, contact_id="rivals", name="Theirs")
    made = ws.begin(robot)
    before = everything()
    for given, details in [
        (ws.CUSTOMER, None), (ws.AGENT, None),
        ({"contact_id": "rivals"}, {"contact_id": ["Nobody has this id."]}),
        ({"agent_id": "nobody"}, {"agent_id": ["Nobody has this id."]}),
        ({"agent_id": "system"}, {"agent_id": ["Nobody has this id."]}),
        ({}, {"contact_id": [ONE]}),
        ({"contact_id": None, "role": "agent"}, {"contact_id": [ONE]}),
        ({**ws.CUSTOMER, "agent_id": "assistant"}, {"contact_id": [ONE]}),
    ]:  # fmt: skip
        ws.assert_refused(robot.post(ws.path_of(made, "participants"), given), "2002", details)
    for given, field in [
        ({"contact_id": 7}, "contact_id"), ({"agent_id": "assistant", "role": "boss"}, "role"),
        ({"agent_id": "assistant", "permissions": ["all"]}, "permissions.0"),
        ({"agent_id": "assistant", "permissions": {}}, "permissions"),
    ]:  # fmt: skip
        assert ws.wrong_fields(robot.post(ws.path_of(made, "participants"), given)) == [field]
    assert everything() == before


@pytest.mark.contract("workspace: 2001 | 404")
def test_an_unknown_conversation_is_told_before_an_unknown_person(robot):
    nowhere = {"id": "conv_" + "0" * 32}
    ws.assert_refused(robot.post(ws.path_of(nowhere, "participants"), {"contact_id": "nobody"}), "2001")
    ws.assert_refused(robot.get(ws.path_of(nowhere, "participants")), "2001")
    sent = {"type": "text", "text": {"body": "x"}, "sender": {"contact_id": "nobody"}}
    ws.assert_refused(robot.post(ws.path_of(nowhere, "messages"), sent), "2001")


@pytest.mark.contract("workspace: GET …/participants |")
def test_listing(robot, supervisor):
    made = ws.begin(robot)
    ws.ok(robot.post(ws.path_of(made, "participants"), {"contact_id": "contact_999"}), 201)
    people = ws.ok(robot.get(ws.path_of(made)))["participants"]
    assert ws.ok(robot.get(ws.path_of(made, "participants"))) == {
        "participants": people, "pagination": {"limit": 20, "offset": 0, "total": 3, "has_more": False},
    }  # fmt: skip
    assert ws.ok(robot.get(ws.path_of(made, "participants") + "?limit=1&offset=1")) == {
        "participants": people[1:2], "pagination": {"limit": 1, "offset": 1, "total": 3, "has_more": True},
    }  # fmt: skip
    assert ws.wrong_fields(robot.get(ws.path_of(made, "participants") + "?limit=0")) == ["limit"]


@pytest.mark.contract("workspace: PATCH …/participants/{participant_id}")
def test_changing(robot, clock):
    made = ws.begin(robot)
    customer, agent = made["participants"]
    clock.shift(60)
    answer = ws.ok(robot.patch(ws.path_of(made, "participants", agent["id"]), {
        "role": "manager", "permissions": ["manage", "read", "write"],
    }))  # fmt: skip
    assert answer == {**agent, "role": "manager", "permissions": ["read", "write", "manage"]}
    assert ws.ok(robot.get(ws.path_of(made, "participants")))["participants"] == [customer, answer]
    row = ws.row_of(made)
    uuid = str(Participant.objects.get(conversation=row, agent__isnull=False).uuid)
    was = {"id": uuid, "role": "agent", "permissions": ["read", "write"]}
    now = {"id": uuid, "role": "manager", "permissions": ["read", "write", "manage"]}
    assert events_of(row.pk)[1:] == [("conversation.updated", {"participant": [was, now]})]
    before = everything()
    for same in ({}, {"role": "manager"}, {"permissions": ["manage", "write", "read"], "role": "manager"}):
        assert ws.ok(robot.patch(ws.path_of(made, "participants", agent["id"]), same)) == answer
    for given, field in [
        ({"role": "owner"}, "role"), ({"role": None}, "role"), ({"permissions": None}, "permissions"),
        ({"permissions": ["x"], "role": "agent"}, "permissions.0"),
    ]:  # fmt: skip
        assert ws.wrong_fields(robot.patch(ws.path_of(made, "participants", agent["id"]), given)) == [field]
    assert everything() == before
    only = ws.ok(robot.patch(ws.path_of(made, "participants", agent["id"]), {"permissions": ["read"]}))
    assert (only["role"], only["permissions"]) == ("manager", ["read"])


@pytest.mark.contract(
    "workspace: DELETE …/participants/{participant_id}", "workspace: someone removed can be added again"
)
def test_removing_and_joining_again(robot):
    made = ws.begin(robot)
    ws.say(robot, made, "Hello")
    customer, agent = made["participants"]
    answer = robot.delete(ws.path_of(made, "participants", customer["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert ws.ok(robot.get(ws.path_of(made)))["participants"] == [agent]
    [message] = ws.ok(robot.get(ws.path_of(made, "messages")))["messages"]
    assert message["sender"] == {"contact_id": "contact_1", "name": "First contact"}
    before = everything()
    for method in ("PATCH", "DELETE"):
        body = {"role": "manager"} if method == "PATCH" else None
        ws.assert_refused(robot(method, ws.path_of(made, "participants", customer["id"]), body), "1004")
    sent = {"type": "text", "text": {"body": "Still there?"}, "sender": ws.CUSTOMER}
    ws.assert_refused(robot.post(ws.path_of(made, "messages"), sent), "2002")
    assert everything() == before
    again = ws.ok(robot.post(ws.path_of(made, "participants"), ws.CUSTOMER), 201)
    assert again["id"] != customer["id"]
    assert ws.ok(robot.get(ws.path_of(made)))["participants"] == [agent, again]
    ws.say(robot, made, "Back again")
    kinds = [kind for kind, _ in events_of(ws.row_of(made).pk)]
    assert kinds[2:4] == ["conversation.participant.removed", "conversation.participant.added"]


@pytest.mark.contract("workspace: message, participant, file, webhook, rule, path")
def test_a_participant_of_another_conversation_is_unknown(robot):
    made, other = ws.begin(robot), ws.begin(robot)
    foreign = other["participants"][0]["id"]
    before = everything()
    for name in (foreign, "participant_" + "0" * 32, "1", foreign.upper(), foreign.replace("participant", "msg")):
        ws.assert_refused(robot.patch(ws.path_of(made, "participants", name), {"role": "manager"}), "1004")
        ws.assert_refused(robot.delete(ws.path_of(made, "participants", name)), "1004")
    assert everything() == before


@pytest.mark.contract("workspace: A sender must be a participant with write")
def test_only_participants_with_write_send(robot):
    made = ws.begin(robot, {**ws.CUSTOMER, "permissions": ["read"]}, ws.AGENT)
    message = {"type": "text", "text": {"body": "x"}}
    before = everything()
    for sender, details in [
        (ws.CUSTOMER, None), ({"agent_id": "assistant"}, None),
        ({"contact_id": "nobody"}, {"sender": ["Nobody has this id."]}),
        ({}, {"sender": [ONE]}),
        ({**ws.CUSTOMER, **ws.AGENT}, {"sender": [ONE]}),
    ]:  # fmt: skip
        ws.assert_refused(robot.post(ws.path_of(made, "messages"), {**message, "sender": sender}), "2002", details)
    assert everything() == before
    Agent.objects.filter(agent_id="agent_1").update(is_active=False)
    ws.assert_refused(
        robot.post(ws.path_of(made, "messages"), {**message, "sender": ws.AGENT}),
        "2002",
        {"sender": ["Nobody has this id."]},
    )
    person = ws.path_of(made, "participants", made["participants"][0]["id"])
    ws.ok(robot.patch(person, {"permissions": ["write"]}))
    ws.say(robot, made, "Now I may")
    assert Message.objects.count() == 1


@pytest.mark.contract("workspace: A user who takes part shows as")
def test_a_user_is_shown_and_an_owner_who_is_removed_owns_nothing(acme, robot, maya):
    number = new_conversation(maya, "Where is my parcel?")
    ws.ok(maya.post(f"/chat/conversations/{number}/messages", {"content": "Hello?"}))
    made = {"id": f"conv_{Conversation.objects.get(pk=number).uuid.hex}"}
    user = acme.users[0].user
    [person] = ws.ok(robot.get(ws.path_of(made, "participants")))["participants"]
    assert {k: v for k, v in person.items() if k != "id"} == {
        "user_id": str(user.uuid), "name": user.name, "role": "customer", "permissions": ["read", "write", "manage"],
        "joined_at": ws.AT,
    }  # fmt: skip
    [message] = ws.ok(robot.get(ws.path_of(made, "messages")))["messages"]
    assert message["sender"] == {"user_id": str(user.uuid), "name": user.name}
    ws.ok(robot.patch(ws.path_of(made, "participants", person["id"]), {"role": "participant"}))
    assert robot.delete(ws.path_of(made, "participants", person["id"])).status_code == 204
    row = Conversation.objects.get(pk=number)
    assert (row.owner, row.participant_count) == (None, 0)
    assert events_of(number)[-2:] == [
        ("conversation.participant.removed", None), ("conversation.updated", {"owner": [str(user.uuid), None]}),
    ]  # fmt: skip
    assert maya.get(f"/chat/conversations/{number}").status_code == 404
    assert [difference for _, differences in verify() for difference in differences] == []


def test_who_is_in_charge_follows_the_agents_who_take_part(acme, robot):
    made = ws.begin(robot, ws.CUSTOMER)
    assert ws.row_of(made).assigned_agent is None
    first = ws.ok(robot.post(ws.path_of(made, "participants"), ws.AGENT), 201)
    assert ws.row_of(made).assigned_agent == acme.agents[0]
    ws.ok(robot.post(ws.path_of(made, "participants"), {"agent_id": "assistant"}), 201)
    assert ws.row_of(made).assigned_agent == acme.agents[0]
    ws.ok(robot.delete(ws.path_of(made, "participants", first["id"])), 204)
    assert ws.row_of(made).assigned_agent is None
    changes = [changes for kind, changes in events_of(ws.row_of(made).pk) if kind == "conversation.updated"]
    assert changes == [{"assigned_agent": [None, "agent_1"]}, {"assigned_agent": ["agent_1", None]}]


@pytest.mark.contract("workspace: At most 100 in a conversation")
@override_settings(PARTICIPANT_LIMIT=2)
def test_a_full_conversation_takes_nobody_until_somebody_leaves(robot):
    made = ws.begin(robot)
    before = everything()
    ws.assert_refused(robot.post(ws.path_of(made, "participants"), {"agent_id": "assistant"}), "2004")
    assert everything() == before
    ws.ok(robot.delete(ws.path_of(made, "participants", made["participants"][1]["id"])), 204)
    ws.ok(robot.post(ws.path_of(made, "participants"), {"agent_id": "assistant"}), 201)
