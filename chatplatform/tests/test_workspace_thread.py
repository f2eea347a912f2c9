"""contracts/workspace.md, "Messages": reading, changing, deleting."""

import pytest
from django.test import override_settings

from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything
from conversations.models import Conversation
from messaging.actions import add_note
from messaging.models import Message
from messaging.senders import as_agent

pytestmark = pytest.mark.usefixtures("clock")


def bodies(answer):
    return [message["text"]["body"] for message in answer["messages"]]


# --- reading ---


@pytest.fixture
def thread(robot):
    """Ten messages; the fifth was deleted, and a private note stands between."""
    made = ws.begin(robot)
    sent = [ws.say(robot, made, str(n)) for n in range(5)]
    add_note(conversation=ws.row_of(made), sender=as_agent(ws.row_of(made).assigned_agent), text="whisper")
    sent += [ws.say(robot, made, str(n), ws.AGENT) for n in range(5, 10)]
    ws.ok(robot.delete(ws.path_of(made, "messages", sent[4]["id"])), 204)
    return made, {message["text"]["body"]: message["id"] for message in sent}


WINDOWS = {
    "": "98765 3210", "?order=asc": "0123 56789", "?limit=3": "987", "?limit=3&offset=3": "65 3",
    "?limit=3&offset=8": "0", "?offset=9": "", "?order=asc&limit=2&offset=3": "3 5",
    "?before=6": "5 3210", "?before=6&limit=2": "5 3", "?before=6&order=asc": "0123 5", "?before=0": "",
    "?before=6&order=asc&limit=2": "01", "?after=6": "987", "?after=6&order=asc&limit=2": "78", "?after=9": "",
    "?after=1&before=6": "5 32", "?after=1&before=6&limit=1&offset=1": "3", "?after=6&before=1": "",
    "?before=&after=": "98765 3210", "?limit=5000": "98765 3210",
}  # fmt: skip


@pytest.mark.contract("workspace: GET …/messages?limit=50&order=desc")
@pytest.mark.parametrize("query", WINDOWS)
def test_pages_of_messages(robot, thread, query):
    made, ids = thread
    asked = query
    for number in ids:
        asked = asked.replace(f"before={number}", f"before={ids[number]}", 1) if f"before={number}" in query else asked
        asked = asked.replace(f"after={number}", f"after={ids[number]}", 1) if f"after={number}" in query else asked
    answer = ws.ok(robot.get(ws.path_of(made, "messages") + asked))
    assert bodies(answer) == list(WINDOWS[query].replace(" ", ""))
    assert answer["pagination"]["total"] == 9
    assert answer["pagination"]["limit"] == (500 if "5000" in query else int(query[7]) if "?limit" in query else
                                             answer["pagination"]["limit"])  # fmt: skip


@pytest.mark.contract(
    "workspace: GET …/messages?limit=50&order=desc", "workspace: message, participant, file, webhook, rule, path"
)
def test_what_is_no_message_of_it_is_no_place_in_it(robot, thread):
    made, ids = thread
    elsewhere = ws.say(robot, ws.begin(robot), "Hello")["id"]
    for name in ("before", "after"):
        for anchor in (ids["4"], elsewhere, "msg_" + "0" * 32, "7"):
            ws.assert_refused(robot.get(ws.path_of(made, "messages") + f"?{name}={anchor}"), "1004")
    for query, field in [
        ("limit=0", "limit"),
        ("offset=-1", "offset"),
        ("order=up", "order"),
        ("before=%00", "before"),
    ]:
        assert ws.wrong_fields(robot.get(ws.path_of(made, "messages") + f"?{query}")) == [field]


@pytest.mark.contract(
    "workspace: The API serves a conversation's newest 10,000", "workspace: GET …/messages/{message_id}"
)
@pytest.mark.parametrize("deleted", [False, True])
def test_lists_serve_the_newest_and_one_by_one_all(robot, deleted):
    made = ws.begin(robot)
    sent = [ws.say(robot, made, str(n)) for n in range(8)]
    if deleted:
        ws.ok(robot.delete(ws.path_of(made, "messages", sent[6]["id"])), 204)
    newest = ["4", "5", "6", "7"] if not deleted else ["3", "4", "5", "7"]
    with override_settings(MESSAGE_WINDOW=4):
        path = ws.path_of(made, "messages")
        for query, expected in {
            "": newest[::-1], "?order=asc": newest, "?order=asc&limit=2": newest[:2], "?offset=3": newest[:1],
            f"?before={sent[7]['id']}": newest[:3][::-1], f"?before={sent[7]['id']}&order=asc&limit=1": newest[:1],
            f"?after={sent[0]['id']}&order=asc": newest, f"?before={sent[1]['id']}": [],
            f"?after={sent[5]['id']}": newest[3 - (not deleted):][::-1],
        }.items():  # fmt: skip
            answer = ws.ok(robot.get(path + query))
            assert (bodies(answer), answer["pagination"]["total"]) == (expected, 4), query
        assert ws.ok(robot.get(ws.path_of(made, "messages", sent[0]["id"]))) == sent[0]
    assert ws.ok(robot.get(path))["pagination"]["total"] == 8 - deleted


@pytest.mark.contract("behaviour: Private notes", "workspace: message, participant, file, webhook, rule, path")
def test_messages_that_nobody_may_see_are_unknown(robot, thread):
    made, ids = thread
    note = Message.objects.get(visibility="private")
    other = ws.begin(robot)
    before = everything()
    for where, name in [
        (made, f"msg_{note.uuid.hex}"), (made, ids["4"]), (other, ids["3"]), (made, "msg_" + "0" * 32), (made, "7"),
        (made, ids["3"].upper()), (made, ids["3"].replace("msg", "conv")),
    ]:  # fmt: skip
        ws.assert_refused(robot.get(ws.path_of(where, "messages", name)), "1004")
        ws.assert_refused(robot.patch(ws.path_of(where, "messages", name), {"status": "read"}), "1004")
        ws.assert_refused(robot.delete(ws.path_of(where, "messages", name)), "1004")
    assert everything() == before


# --- changing ---


@pytest.mark.contract("workspace: PATCH …/messages/{message_id}")
def test_metadata_is_merged_and_an_edit_marked(robot, clock):
    made = ws.begin(robot)
    sent = ws.say(robot, made, "Hola", metadata={"a": 1, "b": {"c": 2}})
    path = ws.path_of(made, "messages", sent["id"])
    given = {"metadata": {"edited": True, "edit_reason": "Corrección", "a": None}, "status": "delivered"}
    answer = ws.ok(robot.patch(path, given))
    metadata = {"b": {"c": 2}, "edited": True, "edit_reason": "Corrección"}
    assert answer == {**sent, "metadata": metadata, "status": "delivered"}
    assert ws.ok(robot.get(path)) == answer
    told = {"status": ["sent", "delivered"], "metadata": [{"a": 1, "b": {"c": 2}}, metadata]}
    assert events_of(ws.row_of(made).pk)[-1] == ("conversation.message.updated", told)
    before = everything()
    assert ws.ok(robot.patch(path, {"status": "delivered", "metadata": {"edited": True, "zzz": None}})) == answer
    assert ws.ok(robot.patch(path, {})) == answer
    assert everything() == before
    assert ws.ok(robot.patch(path, {"metadata": None}))["metadata"] == {}


STATUSES = ["sent", "delivered", "read", "failed"]


@pytest.mark.contract("workspace: PATCH …/messages/{message_id}", "workspace: idempotency key reused; a state change")
@pytest.mark.parametrize("old", STATUSES)
def test_a_status_goes_forward_only(robot, old):
    allowed = {
        "sent": ["delivered", "read", "failed"],
        "delivered": ["read", "failed"],
        "read": ["failed"],
        "failed": [],
    }
    made = ws.begin(robot)
    for new in STATUSES:
        sent = ws.say(robot, made, "Hola")
        path = ws.path_of(made, "messages", sent["id"])
        if old != "sent":
            ws.ok(robot.patch(path, {"status": old}))
        before = everything()
        answer = robot.patch(path, {"status": new, "metadata": {"tried": new}} if new != old else {"status": new})
        if new == old or new in allowed[old]:
            assert ws.ok(answer)["status"] == new
        else:
            ws.assert_refused(answer, "1006", {"from": old, "to": new})
            assert everything() == before


@pytest.mark.contract("workspace: PATCH …/messages/{message_id}")
def test_the_content_is_immutable(robot):
    made = ws.begin(robot)
    sent = ws.say(robot, made, "Hola")
    path = ws.path_of(made, "messages", sent["id"])
    before = everything()
    for given, fields in [
        ({"text": {"body": "Adiós"}}, ["text"]), ({"text": None}, ["text"]),
        ({"type": "image", "image": {}}, ["type", "image"]),
        ({"location": {}, "status": "read"}, ["location"]), ({"sender": ws.AGENT, "metadata": {"a": 1}}, ["sender"]),
        ({"status": "lost"}, ["status"]), ({"status": None}, ["status"]), ({"metadata": 7}, ["metadata"]),
        ({"metadata": {"a": "x" * 16_384}}, ["metadata"]),
    ]:  # fmt: skip
        assert ws.wrong_fields(robot.patch(path, given)) == fields
    assert everything() == before


@pytest.mark.contract("workspace: DELETE …/messages/{message_id}")
def test_deleting_a_message(robot, desk):
    made = ws.begin(robot)
    first, second = ws.say(robot, made, "First"), ws.say(robot, made, "Second")
    answer = robot.delete(ws.path_of(made, "messages", second["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    shown = ws.ok(robot.get(ws.path_of(made, "messages")))
    assert (bodies(shown), shown["pagination"]["total"]) == (["First"], 1)
    conversation = ws.ok(robot.get(ws.path_of(made)))
    assert (conversation["message_count"], conversation["last_message_at"]) == (1, ws.AT)
    [listed] = ws.ok(robot.get("/v1/conversations"))["conversations"]
    assert listed["message_count"] == 1
    assert ws.row_of(made).last_message_text == "First"
    kept = Message.objects.get(uuid=second["id"].removeprefix("msg_"))
    assert (kept.text, kept.deleted_at is not None) == ("Second", True)
    kind, _ = events_of(ws.row_of(made).pk)[-1]
    assert kind == "conversation.message.updated"
    ws.ok(robot.patch(ws.path_of(made), {"status": "closed"}))  # which a deletion does not mind
    ws.ok(robot.delete(ws.path_of(made, "messages", first["id"])), 204)
    assert Conversation.objects.get().message_count == 0
