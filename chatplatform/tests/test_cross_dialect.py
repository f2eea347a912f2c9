"""mapping.md: a conversation that is made through one dialect is the same row for all of them and for the
admin: listed, read, changed, written to and deleted through each whose caller may see it. All 25 pairs."""

from typing import Any

import pytest

from chatplatform.tests.admin_world import browser_of, page
from chatplatform.tests.doors import Doors
from chatplatform.tests.mapped import DOORS, Assistant, Door, Facts, Person, Platform, WhatsApp, customer
from chatplatform.tests.store import events_of, everything, take_part
from chatplatform.tests.test_admin_writes import form_of, press
from conversations.models import Conversation, StateChange

pytestmark = pytest.mark.usefixtures("clock")
NAMES = list(DOORS)
every_pair = pytest.mark.parametrize(
    ("made_in", "then"), [(one, other) for one in NAMES for other in NAMES], ids=lambda name: name
)


@pytest.fixture
def acmes(acme) -> Doors:
    return Doors(acme)


@pytest.fixture
def doors(acmes) -> dict[str, Door]:
    return {name: door(acmes) for name, door in DOORS.items()}


def assert_the_same_everywhere(doors: dict[str, Door], facts: Facts) -> None:
    """Every dialect shows what the store holds, alone and in its list, to whoever sees it there."""
    for door in doors.values():
        for user in door.viewers(facts):
            assert door.shown(user, facts) == (expected := door.expected(user, facts)), (door.name, user)
            assert listed(door, user, facts) == [door.of_list(expected)], (door.name, user)
            if door.sends:
                assert door.messages(user, facts) == list(door.expected_messages(facts)), (door.name, user)
        for user in door.strangers(facts):
            assert_unseen(door, facts, user)


def listed(door: Door, user: Any, facts: Facts) -> list[Any]:
    """The rows of it in the caller's list: one, or none."""
    names = (facts.row.pk, str(facts.row.uuid), f"conv_{facts.row.uuid.hex}")
    return [row for row in door.listed(user) if row.get("id", row.get("uuid")) in names]


def assert_unseen(door: Door, facts: Facts, user: Any) -> None:
    answer = door.caller(user).get(door.path(facts))
    assert (answer.status_code, answer.json()) == door.unseen, (door.name, user)
    assert listed(door, user, facts) == []


def told(facts: Facts) -> list[tuple[str, Any]]:
    return events_of(facts.row.pk)


@pytest.mark.contract(
    "README: One store.", "mapping: conversation's id |", "mapping: tenant |", "mapping: title |", "mapping: channel |",
    "mapping: customer |", "mapping: participants | —", "mapping: status |", "mapping: category |",
    "mapping: conversation_type (chat)", "mapping: bot allowed / bot |", "README: One store of conversations",
    "README: Timestamps are UTC.",
)  # fmt: skip
@every_pair
def test_made_in_one_and_read_in_the_other(doors, acmes, made_in, then):
    facts, door = doors[made_in].make(), doors[then]
    assert told(facts)[0] == ("conversation.created", None)
    for user in door.viewers(facts):
        assert door.shown(user, facts) == (expected := door.expected(user, facts))
        assert door.listed(user) == [door.of_list(expected)]
    for user in door.strangers(facts):
        assert_unseen(door, facts, user)
    if then == "whatsapp":
        before = told(facts)
        WhatsApp(acmes).open()
        assert told(facts) == before
        assert Conversation.objects.count() == (1 if made_in == "whatsapp" else 2)
    if then == "platform" and made_in in ("whatsapp", "workspace"):  # nobody's: until a user joins
        assert door.viewers(facts) == []
        take_part(facts.row.pk, acmes.omar)
        facts.people.append(Person(acmes.omar, "participant"))
        assert_the_same_everywhere(doors, facts)


@pytest.mark.contract(
    "README: One store.", "mapping: archived, pinned |", "behaviour: the first request, whatever became of the row"
)
@every_pair
def test_made_in_one_and_changed_in_the_other(doors, acmes, clock, made_in, then):
    """One event, and every dialect shows the change"""
    facts, door = doors[made_in].make(), doors[then]
    clock.shift(60)
    before, rows = told(facts), everything()
    if not hasattr(door, "change"):  # whatsapp: what runners bring again changes nothing
        if made_in == "whatsapp":
            WhatsApp(acmes).open()
            assert everything() == rows
        assert_the_same_everywhere(doors, facts)
        return
    if acmes.desk not in door.viewers(facts) and not facts.users():
        for user in (acmes.maya, acmes.desk):
            answer = door.caller(user).patch(door.path(facts), door.change)
            assert (answer.status_code, answer.json()) == door.unseen
        assert_the_same_everywhere(doors, facts)
        return
    was = {name: getattr(facts, name) for name in door.changed}
    answer = door.caller(door.manager(facts)).patch(door.path(facts), door.change)
    assert answer.status_code == 200, answer.content
    facts.change(**{**door.changed, **merged_metadata(facts, door)})
    changes = {name: [was[name], value] for name, value in door.changed.items() if was[name] != value}
    if "metadata" in changes:
        changes["metadata"][1] = facts.metadata
    assert told(facts)[len(before) :] == [("conversation.updated", changes)]
    assert_the_same_everywhere(doors, facts)
    history = list(StateChange.objects.values_list("old", "new"))
    assert history == ([(was["status"], facts.status)] if "status" in changes else [])


def merged_metadata(facts: Facts, door: Door) -> dict[str, Any]:
    given = getattr(door, "changed", {}).get("metadata")
    return {"metadata": {**facts.metadata, **given}} if given else {}


@pytest.mark.contract(
    "README: One store.", "mapping: who sent it |", "mapping: message's text |", "mapping: counters |"
)
@every_pair
def test_made_in_one_and_written_to_in_the_other(doors, acmes, clock, made_in, then):
    """Each message, its sender, the figures and the state that moves are the same in every dialect"""
    facts, door = doors[made_in].make(), doors[then]
    clock.shift(60)
    if not door.sends:
        before = everything()
        answer = door.caller(acmes.desk).post(f"/api/conversation/{facts.row.uuid}/messages", {"text": "x"})
        assert (answer.status_code, everything()) == (404, before)
        return
    if not door.viewers(facts):
        before = everything()
        answer = door.send(facts, "Hello", acmes.desk)
        assert (answer.status_code, answer.json(), everything()) == (*door.unseen, before)
        return
    for number, who in enumerate(door.senders(facts)):
        before, status = told(facts), facts.status
        clock.shift(1)
        assert door.send(facts, f"Line {number}", who).status_code in (200, 201)
        facts.say(f"Line {number}", who)
        kinds = ["conversation.message.created"] + ["conversation.updated"] * (facts.status != status)
        assert [kind for kind, _ in told(facts)[len(before) :]] == kinds
        assert_the_same_everywhere(doors, facts)
    assert facts.status == "active" or (made_in in ("whatsapp", "rooms") and then == "platform")


@pytest.mark.contract("README: One store.")
@every_pair
def test_made_in_one_and_deleted_in_the_other(doors, acmes, plain_static_files, made_in, then):
    """Gone from every dialect and from the admin; its chat_id is free again"""
    facts, door = doors[made_in].make(), doors[then]
    browser, link = browser_of(acmes.desk), page(Conversation, "change", facts.row.pk)
    assert link in browser.get(page(Conversation, "changelist")).content.decode()
    before, events = everything(), told(facts)
    if not door.deletes:
        if then == "platform":
            answer = door.caller(acmes.maya).delete(door.path(facts))
            assert (answer.status_code, list(answer.json())) == (405, ["message"])
        assert everything() == before
        assert_the_same_everywhere(doors, facts)
        return
    viewers = {name: each.viewers(facts) for name, each in doors.items()}
    assert door.delete(facts).status_code in (200, 204)
    assert told(facts) == [*events, ("conversation.deleted", None)]
    for name, each in doors.items():
        for user in viewers[name] if name != "whatsapp" else []:
            assert_unseen(each, facts, user)
    assert door.delete(facts).status_code == door.unseen[0]
    assert link not in browser.get(page(Conversation, "changelist")).content.decode()
    assert browser.get(link).status_code == 302
    if made_in == "whatsapp":
        assert doors["whatsapp"].make().row.pk != facts.row.pk


@pytest.mark.contract("README: One store.")
@pytest.mark.parametrize("made_in", NAMES)
def test_made_in_one_and_handled_in_the_admin(doors, acmes, clock, plain_static_files, made_in):
    """Changed, answered and deleted there: every dialect shows it"""
    facts, browser = doors[made_in].make(), browser_of(acmes.desk)
    clock.shift(60)
    assert form_of(browser, facts.row, title="Order 7", status="escalated", is_pinned="on").status_code == 302
    facts.change(title="Order 7", status="escalated", is_pinned=True)
    assert_the_same_everywhere(doors, facts)
    clock.shift(60)
    assert press(browser, facts.row, "write", text="I am looking into it.").status_code == 302
    facts.say("I am looking into it.", acmes.human)
    assert_the_same_everywhere(doors, facts)
    viewers = {name: door.viewers(facts) for name, door in doors.items() if name != "whatsapp"}
    assert browser.post(page(Conversation, "delete", facts.row.pk), {"post": "yes"}).status_code == 302
    for name, users in viewers.items():
        for user in users:
            assert_unseen(doors[name], facts, user)


#: What each dialect answers to a write to a closed conversation, and what it still takes.
CLOSED = {
    "rooms": [("PATCH", "", {"room": "x"}, 409, {"status": 409, "error": "Conversation is closed"})],
    "platform": [
        ("POST", "/messages", {"text": "x"}, 422, {
            "message": "The conversation is closed.", "errors": {"conversation": ["The conversation is closed."]},
        }),
    ],
    "workspace": [
        (method, suffix, body, 409, {"error": {"code": "2003", "message": "Conversation Closed"}})
        for method, suffix, body in [
            ("PATCH", "", {"subject": "x"}), ("PATCH", "", {"tags": ["x"]}), ("PATCH", "", {"status": "active"}),
            ("POST", "/messages", {"type": "text", "text": {"body": "x"}, "sender": {"contact_id": "contact_1"}}),
            ("POST", "/participants", {"agent_id": "assistant"}),
        ]
    ],
    "assistant": [
        (method, suffix, body, 409, {"success": False, "message": "Conversation is closed"})
        for method, suffix, body in [
            ("PUT", "", {"title": "x"}), ("PUT", "", {"status": "active"}), ("POST", "/messages", {"content": "x"}),
        ]
    ],
}  # fmt: skip
STILL = {
    "platform": [("PATCH", "", {"is_archived": True}), ("POST", "/read", None)],
    "assistant": [("PATCH", "", {"is_archived": True, "is_pinned": True}), ("POST", "/read", None)],
}


@pytest.mark.contract("behaviour: On a closed conversation")
@every_pair
def test_made_in_one_and_closed_for_the_other(doors, acmes, clock, made_in, then):
    """Each refuses in its own words, and writes nothing; reading, archiving and deleting go on"""
    facts, door = doors[made_in].make(), doors[then]
    closer = doors["workspace" if then == "assistant" else "assistant"]
    clock.shift(60)
    assert closer.caller(closer.manager(facts)).patch(closer.path(facts), {"status": "closed"}).status_code == 200
    facts.change(status="closed")
    assert_the_same_everywhere(doors, facts)  # whatsapp's retry still returns its record
    if not door.viewers(facts) or then == "whatsapp":
        return
    user = door.manager(facts) if door.manager(facts) in door.viewers(facts) else door.viewers(facts)[0]
    before = everything()
    for method, suffix, body, status, words in CLOSED[then]:
        answer = door.caller(user)(method, f"{door.path(facts)}{suffix}", body)
        assert (answer.status_code, answer.json()) == (status, words), (method, suffix, body)
    assert everything() == before
    assert_the_same_everywhere(doors, facts)
    for method, suffix, body in STILL.get(then, []):
        assert door.caller(user)(method, f"{door.path(facts)}{suffix}", body).status_code == 200
    if door.deletes:
        assert door.delete(facts).status_code in (200, 204)


@pytest.mark.contract("behaviour: A state change that is not allowed")
@pytest.mark.parametrize("made_in", NAMES)
def test_a_change_of_state_that_is_not_allowed(doors, acmes, made_in):
    """`workspace` 409 / 1006, `assistant` 409 with a message that names both states; nothing is written"""
    facts, workspace, assistant = doors[made_in].make(), doors["workspace"], doors["assistant"]
    change = {"status": "resolved"}
    assert assistant.caller(acmes.desk).put(assistant.path(facts), change).status_code == 200
    before = everything()
    change = {"status": "escalated", "tags": ["x"]}
    answer = workspace.caller(acmes.desk).patch(workspace.path(facts), change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "1006")
    assert {"resolved", "escalated"} <= set(answer.json()["error"]["details"].values())
    answer = assistant.caller(acmes.desk).put(assistant.path(facts), {"status": "escalated", "title": "x"})
    words = "Cannot change status from resolved to escalated"
    assert (answer.status_code, answer.json()) == (409, {"success": False, "message": words})
    assert everything() == before


@pytest.mark.contract(
    "behaviour: whatsapp, rooms | new", "behaviour: workspace, assistant, platform | active", "mapping: status |",
    "mapping: A status that a dialect documents",
)  # fmt: skip
@pytest.mark.parametrize("made_in", NAMES)
@pytest.mark.parametrize("then", ["platform", "workspace", "assistant"])
def test_resolved_in_one_and_reopened_by_a_customer_in_the_other(doors, acmes, clock, made_in, then):
    facts, door = doors[made_in].make(), doors[then]
    assert facts.status == ("new" if made_in in ("whatsapp", "rooms") else "active")
    senders = [who for who in door.senders(facts) if customer(who)]
    desk = Assistant(acmes)
    clock.shift(60)
    assert desk.caller(acmes.desk).patch(desk.path(facts), {"status": "resolved"}).status_code == 200
    facts.change(status="resolved")
    assert_the_same_everywhere(doors, facts)
    clock.shift(60)
    for who in senders:  # nobody is one where only staff, or nobody, may write
        assert door.send(facts, "It is lost again", who).status_code in (200, 201)
        facts.say("It is lost again", who)
        assert facts.status == "active"
        assert told(facts)[-1] == ("conversation.updated", {"status": ["resolved", "active"]})
    assert_the_same_everywhere(doors, facts)
    assert bool(senders) == (then == "workspace" or made_in in ("rooms", "platform", "assistant"))


def test_read_in_one_is_read_in_the_other(doors, acmes, clock):
    """Marking read through `assistant` brings the figure of `platform` to nothing, and the other way round"""
    for reader, other in (("platform", "assistant"), ("assistant", "platform")):
        facts = doors["assistant"].make()
        for _ in range(2):
            doors["assistant"].send(facts, "It left this morning.", acmes.human)
        path = {name: doors[name].path(facts) for name in (reader, other)}

        def figures(facts: Facts = facts) -> tuple[int, int]:
            shown = Platform(acmes).shown(acmes.maya, facts)
            return (
                shown["participants"][0]["pivot"]["unread_count"],
                Assistant(acmes).shown(acmes.maya, facts)["unread_count"],
            )

        assert figures() == (2, 2)
        assert doors[reader].caller(acmes.maya).post(f"{path[reader]}/read").status_code == 200
        assert figures() == (0, 0)
