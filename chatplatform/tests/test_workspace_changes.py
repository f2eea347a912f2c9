"""contracts/workspace.md, "Conversations": changing and deleting."""

import pytest

from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything
from clients.models import Agent
from conversations.models import Conversation, StateChange
from conversations.states import ALLOWED, Status

pytestmark = pytest.mark.usefixtures("clock")


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
        ({"tags": "a"}, "tags"), ({"metadata": ["a"]}, "metadata"), ({"metadata": {"a": ws.DEEP}}, "metadata"),
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
