"""contracts/workspace.md: anti-spam as client programs meet it, in every dialect."""

from typing import Any

import pytest

from chatplatform.tests.doors import DIALECTS, Doors, data, workspace_id
from chatplatform.tests.store import events_of, everything, take_part
from chatplatform.tests.workspace import (
    AGENT,
    assert_refused,
    begin,
    ok,
    path_of,
    robot_of,
    row_of,
    say,
    wrong_fields,
)
from clients.models import Client
from conftest import caller_of
from conversations.actions import Person, add_participant
from conversations.models import Conversation
from messaging.actions import release_message
from messaging.integrity import verify
from messaging.models import Message

PATH = "/v1/workspace/settings/antispam"
DEFAULTS = {
    "enabled": False, "sensitivity": "medium", "actions": ["flag"], "whitelist_domains": [], "blacklist_keywords": [],
}  # fmt: skip
GIVEN = {
    "enabled": True,
    "sensitivity": "high",
    "actions": ["quarantine", "flag"],
    "whitelist_domains": ["example.com", "Shop.Example"],
    "blacklist_keywords": ["Casino", "préstamo fácil"],
}
HOLD = {"enabled": True, "actions": ["quarantine"], "blacklist_keywords": ["kumquat"]}
BOTH = {**HOLD, "actions": ["flag", "quarantine"]}
BAD = "Buy a kumquat"
REASONS = [{"rule": "keyword", "points": 10.0, "detail": "kumquat"}]


# --- settings ---


@pytest.mark.contract("workspace: /v1/workspace/settings/antispam", "behaviour: Anti-spam starts as")
def test_settings_echo(robot, rival):
    assert ok(robot.get(PATH)) == DEFAULTS
    assert ok(robot.post(PATH, GIVEN)) == GIVEN
    assert ok(robot.get(PATH)) == GIVEN
    assert ok(robot.post(PATH, {"enabled": True, "sensitivity": None})) == {**DEFAULTS, "enabled": True}
    assert ok(robot_of(rival).get(PATH)) == DEFAULTS
    assert ok(robot.post(PATH, {"enabled": False})) == DEFAULTS


@pytest.mark.contract("workspace: /v1/workspace/settings/antispam")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("enabled", "yes"), ("enabled", 1), ("sensitivity", "extreme"), ("sensitivity", 3), ("actions", "flag"),
        ("actions", ["delete"]), ("actions", [None]), ("whitelist_domains", ["no domain"]), ("whitelist_domains", [""]),
        ("whitelist_domains", ["http://example.com"]), ("whitelist_domains", [f"d{n}.example" for n in range(1001)]),
        ("blacklist_keywords", [" "]), ("blacklist_keywords", ["k" * 101]), ("blacklist_keywords", {"a": 1}),
        ("blacklist_keywords", [7]), ("blacklist_keywords", [f"k{n}" for n in range(1001)]),
    ],
)  # fmt: skip
def test_settings_that_are_refused(robot, field, value):
    ok(robot.post(PATH, GIVEN))
    before = everything()
    [named] = wrong_fields(robot.post(PATH, {**GIVEN, field: value}))
    assert named.split(".")[0] == field
    assert everything() == before


@pytest.mark.parametrize("body", [None, {}, {"sensitivity": "low"}, {"enabled": None}])
def test_a_call_that_does_not_say_whether_turns_nothing_off(robot, body):
    ok(robot.post(PATH, GIVEN))
    assert wrong_fields(robot.post(PATH, body)) == ["enabled"]
    assert ok(robot.get(PATH)) == GIVEN


def test_what_is_given_twice_is_kept_once(robot):
    doubled = {**GIVEN, "actions": ["flag", "flag"], "blacklist_keywords": ["a", "b", "a"]}
    assert ok(robot.post(PATH, doubled)) == {**GIVEN, "actions": ["flag"], "blacklist_keywords": ["a", "b"]}


@pytest.mark.contract("workspace: /v1/workspace/settings/antispam", "workspace: token without that scope")
def test_settings_need_their_scope(acme):
    other = robot_of(acme, scopes=["conversations:read", "conversations:write", "messages:read", "messages:write"])
    before = everything()
    assert_refused(other.get(PATH), "1002")
    assert_refused(other.post(PATH, GIVEN), "1002")
    assert everything() == before
    mine = robot_of(acme, scopes=["settings"])
    assert ok(mine.post(PATH, GIVEN)) == ok(mine.get(PATH)) == GIVEN


def test_other_settings_stay(acme, robot):
    Client.objects.filter(pk=acme.client.pk).update(settings={"holidays": ["2027-01-01"]})
    ok(robot.post(PATH, GIVEN))
    assert Client.objects.get(pk=acme.client.pk).settings == {"holidays": ["2027-01-01"], "antispam": GIVEN}


# --- messages of the workspace ---


@pytest.mark.contract("workspace: POST of a quarantined message still answers 201", "workspace: flag marks the message")
def test_flagged(robot):
    """a flagged message and its conversation carry `"flagged": true` and the reasons"""
    conversation = begin(robot)
    ok(robot.post(PATH, {**HOLD, "actions": ["flag"]}))
    plain, message = say(robot, conversation, "Hello"), say(robot, conversation, BAD)
    assert "flagged" not in plain
    assert (message["status"], message["flagged"], message["flag_reasons"]) == ("sent", True, REASONS)
    assert ok(robot.get(path_of(conversation, "messages", message["id"]))) == message
    listed = ok(robot.get(path_of(conversation, "messages")))["messages"]
    assert [one.get("flagged") for one in listed] == [True, None]
    shown = ok(robot.get(path_of(conversation)))
    assert (shown["flagged"], shown["flag_reasons"], shown["message_count"]) == (True, REASONS, 2)
    assert "flagged" not in ok(robot.get(path_of(begin(robot))))
    plain_row, row = ok(robot.get("/v1/conversations"))["conversations"]
    assert (row["id"], row["flagged"], row["flag_reasons"]) == (conversation["id"], True, REASONS)
    assert "flagged" not in plain_row


@pytest.mark.contract("workspace: POST of a quarantined message still answers 201")
def test_quarantined(robot):
    conversation = begin(robot)
    ok(robot.post(PATH, HOLD))
    message = say(robot, conversation, BAD, metadata={"n": 1})
    assert (message["status"], message["text"], message["metadata"]) == ("quarantined", {"body": BAD}, {"n": 1})
    assert "flagged" not in message
    ok(robot.post(PATH, BOTH))
    both = say(robot, conversation, "Kumquat?")
    assert (both["status"], both["flagged"], both["flag_reasons"]) == ("quarantined", True, REASONS)
    assert ok(robot.get(path_of(conversation)))["flagged"] is True


@pytest.mark.contract("workspace: quarantine keeps it out", "workspace: flag marks the message")
def test_a_held_message_is_nowhere_until_it_is_released(acme, robot):
    conversation = begin(robot)
    say(robot, conversation, "Hello")
    ok(robot.post(PATH, HOLD))
    before, told = ok(robot.get(path_of(conversation))), events_of(row_of(conversation).pk)
    message = say(robot, conversation, BAD)
    one = path_of(conversation, "messages", message["id"])
    assert ok(robot.get(path_of(conversation))) == before
    assert events_of(row_of(conversation).pk) == told
    page = ok(robot.get(path_of(conversation, "messages")))
    assert (len(page["messages"]), page["pagination"]["total"]) == (1, 1)
    stored = everything()
    for answer in (
        robot.get(one), robot.patch(one, {"status": "read"}), robot.patch(one, {"metadata": {"a": 1}}),
        robot.delete(one), robot.get(path_of(conversation, f"messages?after={message['id']}")),
    ):  # fmt: skip
        assert_refused(answer, "1004")
    assert everything() == stored
    row = Message.objects.get(visibility="held")
    release_message(conversation=row.conversation, message_id=row.pk, by=caller_of(acme.staff.user))
    shown = ok(robot.get(one))
    assert shown == {**message, "status": "sent", "timestamp": shown["timestamp"]}
    after = ok(robot.get(path_of(conversation)))
    assert (after["message_count"], after["last_message_at"]) == (2, shown["timestamp"])
    assert [m["id"] for m in ok(robot.get(path_of(conversation, "messages")))["messages"]][0] == message["id"]


def test_a_reader_that_goes_on_from_where_it_was_finds_a_released_message(acme, robot):
    conversation = begin(robot)
    ok(robot.post(PATH, HOLD))
    held, newest = say(robot, conversation, BAD), say(robot, conversation, "Hello", AGENT)
    row = Message.objects.get(visibility="held")
    release_message(conversation=row.conversation, message_id=row.pk, by=caller_of(acme.staff.user))
    later = ok(robot.get(path_of(conversation, f"messages?after={newest['id']}&order=asc")))["messages"]
    assert [one["id"] for one in later] == [held["id"]]


def test_an_answer_is_replayed_by_its_key(robot):
    conversation = begin(robot)
    ok(robot.post(PATH, HOLD))
    body = {"type": "text", "text": {"body": BAD}, "sender": {"contact_id": "contact_1"}}
    first, again = (
        ok(robot.post(path_of(conversation, "messages"), body, Idempotency_Key="k1"), 201) for _ in range(2)
    )
    assert first == again
    assert first["status"] == "quarantined"
    assert Message.objects.count() == 1


# --- every dialect ---


@pytest.fixture
def doors(acme: Any) -> Doors:
    return Doors(acme)


def write(doors: Doors, door: str, row: Conversation, text: str) -> Any:
    """By a customer, through a dialect that takes messages."""
    match door:
        case "workspace":
            body = {"type": "text", "text": {"body": text}, "sender": {"contact_id": "contact_1"}}
            return doors.workspace().post(f"/v1/conversations/{workspace_id(row)}/messages", body)
        case "platform":
            return doors.platform().post(f"/api/v1/chat/conversations/{row.uuid}/messages", {"text": text})
    return doors.assistant().post(f"/chat/conversations/{row.pk}/messages", {"content": text})


def shown_everywhere(doors: Doors, row: Conversation) -> list[Any]:
    """The conversation and its messages, as each dialect that shows them does."""
    platform, assistant = f"/api/v1/chat/conversations/{row.uuid}", f"/chat/conversations/{row.pk}"
    return [
        doors.in_platform(row), doors.in_assistant(row), doors.in_assistant(row, doors.maya), doors.in_rooms(row),
        data(doors.platform().get(f"{platform}/messages")), data(doors.assistant().get(f"{assistant}/messages")),
        data(doors.platform().get("/api/v1/chat/conversations")), data(doors.assistant().get("/chat/conversations")),
        doors.in_workspace(row), data(doors.workspace().get(f"/v1/conversations/{workspace_id(row)}/messages")),
        data(doors.workspace().get(f"/v1/conversations/{workspace_id(row)}/metrics")),
    ]  # fmt: skip


@pytest.mark.contract("workspace: It acts on every incoming customer message", "workspace: quarantine keeps it out")
@pytest.mark.parametrize("made", DIALECTS)
@pytest.mark.parametrize("door", ["workspace", "platform", "assistant"])
def test_in_every_dialect(doors, robot, made, door):
    row = doors.make(made)
    system = caller_of(doors.desk)
    present = row.participants.filter(removed_at=None)
    if not present.filter(contact=doors.contact).exists():
        add_participant(conversation=row, person=Person(contact_id=doors.contact.pk), by=system)
    if not present.filter(user=doors.maya).exists():
        take_part(row.pk, doors.maya)
    data(write(doors, door, row, "Hello"), 200 if door == "assistant" else 201)
    ok(robot.post(PATH, HOLD))
    before = shown_everywhere(doors, row)
    answer = write(doors, door, row, BAD)
    assert answer.status_code == (200 if door == "assistant" else 201)
    assert BAD in answer.content.decode()
    held = Message.objects.get(visibility="held")
    assert (held.conversation_id, held.text, held.is_customer) == (row.pk, BAD, True)
    assert shown_everywhere(doors, row) == before
    release_message(conversation=row, message_id=held.pk, by=system)
    after = shown_everywhere(doors, row)
    assert all(BAD in str(shown) for shown in after[4:6])
    assert after[8]["message_count"] == before[8]["message_count"] + 1
    assert [found for _, found in verify() if found] == []


def test_the_sender_sees_it_as_accepted(doors, robot):
    """In dialects without a word for it the answer has the keys and values of any other."""
    for door, status in (("platform", 201), ("assistant", 200)):
        row = doors.make("assistant" if door == "assistant" else "platform")
        ok(robot.post(PATH, DEFAULTS))
        plain = data(write(doors, door, row, "Hello"), status)
        ok(robot.post(PATH, BOTH))
        held = data(write(doors, door, row, BAD), status)
        assert held.keys() == plain.keys()
        assert held["data"].keys() == plain["data"].keys()
        assert held["message"] == plain["message"]
    assert Message.objects.filter(visibility="held", is_flagged=True).count() == 2
