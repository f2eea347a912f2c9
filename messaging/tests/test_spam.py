"""What becomes of a message that anti-spam flags or holds, and what staff make of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection

from chatplatform.errors import ConversationClosed, NotFound
from chatplatform.tests.store import events_of, everything, statements
from clients import actions as people
from clients.actions import NewTenant, change_settings
from clients.callers import Caller, system_caller
from clients.models import Contact
from conftest import caller_of
from conversations import actions
from conversations.actions.tagging import tag_names
from conversations.models import Conversation, Event, Participant
from messaging import incoming, spam
from messaging.actions import (
    add_note,
    clear_flag,
    create_rule,
    delete_message,
    release_message,
    send_message,
    store_upload,
)
from messaging.erasure import erase_contact
from messaging.integrity import verify
from messaging.models import Attachment, Message
from messaging.senders import as_agent, as_contact, as_user

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
BAD = "the kumquat is open"
BOTH = ["flag", "quarantine"]


def want(tenant: NewTenant, *does: str, **wanted: Any) -> None:
    """Anti-spam with a keyword, unless told otherwise."""
    given = {"enabled": True, "actions": list(does), "blacklist_keywords": ["kumquat"], **wanted}
    change_settings(tenant.client.pk, antispam=spam.checked(given))


@pytest.fixture
def row(acme: NewTenant) -> Conversation:
    """Of the first contact, the first user, who owns it, and an agent."""
    return new_conversation(acme)


def new_conversation(tenant: NewTenant, contact: Contact | None = None) -> Conversation:
    owner = tenant.users[0].user
    return actions.create_conversation(
        client_id=tenant.client.pk,
        by=system_caller(tenant.client),
        channel="web",
        owner=owner,
        people=[
            actions.Person(contact_id=(contact or tenant.contacts[0]).pk),
            actions.Person(user_id=owner.pk),
            actions.Person(agent_id=tenant.agents[0].pk),
        ],
    )


def write(row: Conversation, tenant: NewTenant, text: str = BAD, **fields: Any) -> Message:
    return send_message(conversation=row, sender=as_contact(tenant.contacts[0]), text=text, **fields)


def staff_of(tenant: NewTenant) -> Caller:
    return caller_of(tenant.staff.user)


def figures(row: Conversation) -> dict[str, Any]:
    """All of a conversation but what a held message may change."""
    found = Conversation.objects.filter(pk=row.pk).values().get()
    return {name: found[name] for name in found.keys() - {"last_seq", "is_flagged", "flag_reasons"}}


def assert_whole() -> None:
    assert [found for _, found in verify() if found] == []


# --- flag ---


@pytest.mark.contract("workspace: flag marks the message")
def test_flag_marks_the_message_and_the_conversation(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    message = write(row, acme)
    row.refresh_from_db()
    message.refresh_from_db()
    reasons = [{"rule": "keyword", "points": 10.0, "detail": "kumquat"}]
    assert (message.is_flagged, message.visibility, message.flag_reasons) == (True, "public", reasons)
    assert (row.is_flagged, row.flag_reasons, row.message_count, row.staff_unread) == (True, reasons, 1, 1)
    calm = write(row, acme, "Where is my order?")
    row.refresh_from_db()
    assert (calm.is_flagged, calm.flag_reasons, row.is_flagged, row.message_count) == (False, [], True, 2)
    assert_whole()


@pytest.mark.contract("behaviour: Anti-spam starts as")
def test_it_starts_disabled(acme: NewTenant, row: Conversation) -> None:
    message = write(row, acme, "FREE kumquat prize! WIN £1000 cash, call 09061234567 now, 150p/min")
    row.refresh_from_db()
    assert (message.is_flagged, message.visibility, row.is_flagged) == (False, "public", False)


def test_without_an_action_nothing_is_judged(acme: NewTenant, row: Conversation) -> None:
    want(acme)
    message = write(row, acme)
    assert (message.is_flagged, message.flag_reasons, message.visibility) == (False, [], "public")


def test_of_a_client_that_turned_it_off_again(acme: NewTenant, row: Conversation) -> None:
    want(acme, *BOTH)
    assert write(row, acme).visibility == "held"
    change_settings(acme.client.pk, antispam=None)
    assert write(row, acme).visibility == "public"
    want(acme, *BOTH, enabled=False)
    assert write(row, acme).visibility == "public"


@pytest.mark.contract("workspace: It acts on every incoming customer message")
def test_it_acts_on_customers_alone(acme: NewTenant, row: Conversation) -> None:
    want(acme, *BOTH)
    agent, bot, user = acme.agents[0], acme.agents[1], acme.users[0].user
    voice = acme.client.agents.get(kind="system")
    for sender in (as_agent(agent), as_agent(bot), as_agent(voice), as_user(staff_of(acme))):
        message = send_message(conversation=row, sender=sender, text=BAD)
        assert (message.visibility, message.is_flagged) == ("public", False)
    assert add_note(conversation=row, sender=as_agent(agent), text=BAD).visibility == "private"
    assert send_message(conversation=row, sender=as_user(caller_of(user)), text=BAD).visibility == "held"
    assert write(row, acme).visibility == "held"


def test_what_is_written_beside_a_text_counts(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    place = {"latitude": 1.5, "longitude": 2.5, "name": "Grand Kumquat"}
    picture = {"url": "https://files.example.com/kumquat.png"}
    assert write(row, acme, "", type="location", content=place).is_flagged
    assert write(row, acme, BAD, type="image", content=picture).is_flagged
    assert not write(row, acme, "", type="image", content={"url": "https://kumquat.example.com/1.png"}).is_flagged


@pytest.mark.contract("workspace: A blacklisted word in a message always passes it")
@pytest.mark.parametrize("text", ["", "Look at this"])
def test_the_name_of_a_file_counts(acme: NewTenant, row: Conversation, text: str) -> None:
    """its text is `[file] casino.pdf`"""
    want(acme, "flag")
    for type_ in ("file", "image", "audio", "video"):
        named = {"url": "https://files.example.com/a.pdf", "filename": "my_Kumquat.pdf"}
        assert write(row, acme, text, type=type_, content=named).is_flagged
        assert write(row, acme, text, type=type_, content={"url": "https://files.example.com/kumquat.pdf"}).is_flagged


# --- quarantine ---


@pytest.mark.contract("workspace: quarantine keeps it out", "workspace: flag marks the message")
@pytest.mark.parametrize("does", [["quarantine"], BOTH])
def test_a_held_message_moves_nothing(acme: NewTenant, row: Conversation, does: list[str]) -> None:
    write(row, acme, "Hello")
    actions.change_status(conversation=row, status="resolved", by=system_caller(acme.client))
    want(acme, *does)
    before, told, seats = figures(row), events_of(row.pk), list(Participant.objects.order_by("id").values())
    message = write(row, acme)
    row.refresh_from_db()
    assert (message.seq, row.last_seq, message.visibility) == (2, 2, "held")
    assert (message.is_flagged, row.is_flagged) == ("flag" in does,) * 2
    assert message.flag_reasons[0]["rule"] == "keyword"
    assert (figures(row), events_of(row.pk)) == (before, told)
    assert list(Participant.objects.order_by("id").values()) == seats
    assert not Message.objects.counted().filter(pk=message.pk).exists()
    assert_whole()


def test_the_files_of_a_held_message_stay_its_own(
    acme: NewTenant, row: Conversation, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    want(acme, "quarantine")
    upload = store_upload(
        conversation=row, by=staff_of(acme), file_name="a.txt", content_type="text/plain", size=2, chunks=[b"ok"]
    )
    message = write(row, acme, uploads=[upload])
    upload.refresh_from_db()
    assert (upload.state, Attachment.objects.get().message_id) == ("used", message.pk)
    release_message(conversation=row, message_id=message.pk, by=staff_of(acme))
    assert Attachment.objects.get().message_id == message.pk
    assert_whole()


# --- release ---


@pytest.mark.contract("workspace: quarantine keeps it out")
@pytest.mark.usefixtures("transactional_db")
def test_everything_follows_a_release(acme: NewTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        row = new_conversation(acme)
        write(row, acme, "Hello")
        actions.change_status(conversation=row, status="waiting_for_customer", by=system_caller(acme.client))
        want(acme, *BOTH)
        reacted: list[tuple[int, int]] = []
        monkeypatch.setattr(incoming, "react", lambda row, message, for_bots: reacted.append((row.pk, message.pk)))
        clock.shift(60)
        held = write(row, acme)
        assert reacted == []
        clock.shift(60)
        send_message(conversation=row, sender=as_agent(acme.agents[0]), text="Anybody there?")
        actions.mark_read(conversation=row, by=staff_of(acme))
        clock.shift(60)
        told = Event.objects.count()
        released = release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    row.refresh_from_db()
    stored = Message.objects.get(pk=held.pk)
    at = NOON + timedelta(minutes=3)
    assert (stored.uuid, stored.visibility, stored.seq, stored.created_at) == (held.uuid, "public", 4, at)
    assert (released.seq, released.text, stored.text) == (4, BAD, BAD)
    assert (stored.is_flagged, row.is_flagged) == (True, True)
    assert (row.message_count, row.staff_unread, row.status, row.last_seq) == (3, 1, "active", 4)
    assert (row.last_message_text, row.last_message_at, row.activity_at) == (BAD, at, at)
    assert row.waiting_since == at
    assert row.participants.get(user=acme.users[0].user).unread_count == 3
    assert reacted == [(row.pk, held.pk)]
    new = list(Event.objects.order_by("id")[told:].values_list("kind", "data"))
    assert [kind for kind, _ in new] == ["conversation.message.created", "conversation.updated"]
    assert (new[0][1]["message"], new[0][1]["seq"]) == (str(held.uuid), 4)
    assert new[1][1]["changes"] == {"status": ["waiting_for_customer", "active"]}
    line = Message.objects.get(conversation=row, seq=2)
    assert (line.type, line.visibility, line.created_at) == ("event", "private", NOON + timedelta(minutes=1))
    assert acme.staff.user.name in line.text
    assert_whole()


@pytest.mark.contract("workspace: quarantine keeps it out")
def test_tags_and_rules_wait_for_the_release(acme: NewTenant, row: Conversation) -> None:
    create_rule(client=acme.client, name="Never", type="deny", channel="web", auto_reply="We are closed")
    want(acme, "quarantine")
    held = write(row, acme, "the kumquat has a precio")
    assert (tag_names(row), Message.objects.count()) == ([], 1)
    release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    row.refresh_from_db()
    assert tag_names(row) == ["comercial"]
    assert list(Message.objects.counted().order_by("seq").values_list("seq", "text")) == [
        (2, "the kumquat has a precio"), (3, "We are closed"),
    ]  # fmt: skip
    assert (row.message_count, row.last_seq, row.last_message_text) == (2, 3, "We are closed")
    assert_whole()


def test_an_erasure_deletes_what_is_held(acme: NewTenant, row: Conversation) -> None:
    want(acme, *BOTH)
    held = write(row, acme)
    erase_contact(contact=acme.contacts[0])
    assert list(Message.objects.held()) == []
    with pytest.raises(NotFound):
        release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    row.refresh_from_db()
    assert (row.is_flagged, row.flag_reasons, row.message_count) == (False, [], 0)
    assert Message.objects.get(pk=held.pk).deleted_at is not None
    assert_whole()


def test_a_message_is_released_once(acme: NewTenant, row: Conversation) -> None:
    want(acme, "quarantine")
    held = write(row, acme)
    release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    before = everything()
    with pytest.raises(NotFound):
        release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    assert everything() == before


def test_what_is_not_held_is_not_released(acme: NewTenant, row: Conversation) -> None:
    public = write(row, acme)
    note = add_note(conversation=row, sender=as_agent(acme.agents[0]), text="x")
    want(acme, "quarantine")
    deleted, elsewhere = write(row, acme), write(new_conversation(acme), acme)
    delete_message(conversation=row, message_id=deleted.pk, by=staff_of(acme))
    before = everything()
    for message in (public, note, deleted, elsewhere):
        with pytest.raises(NotFound):
            release_message(conversation=row, message_id=message.pk, by=staff_of(acme))
    assert everything() == before


def test_a_closed_conversation_takes_no_released_message(acme: NewTenant, row: Conversation) -> None:
    want(acme, "quarantine")
    held = write(row, acme)
    actions.change_status(conversation=row, status="closed", by=system_caller(acme.client))
    before = everything()
    with pytest.raises(ConversationClosed):
        release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    assert everything() == before
    delete_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    assert Message.objects.get(pk=held.pk).deleted_at is not None
    assert_whole()


def test_nor_does_a_deleted_one(acme: NewTenant, row: Conversation) -> None:
    want(acme, "quarantine")
    held = write(row, acme)
    actions.delete_conversation(conversation=row, by=system_caller(acme.client))
    with pytest.raises(NotFound):
        release_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    assert Message.objects.get(pk=held.pk).visibility == "held"


@pytest.mark.contract("workspace: quarantine keeps it out")
def test_a_held_message_is_deleted_without_a_word(acme: NewTenant, row: Conversation) -> None:
    want(acme, "quarantine")
    held = write(row, acme)
    before, told = figures(row), events_of(row.pk)
    delete_message(conversation=row, message_id=held.pk, by=staff_of(acme))
    assert (figures(row), events_of(row.pk)) == (before, told)
    assert list(Message.objects.held()) == []
    assert Message.objects.get(pk=held.pk).text == BAD
    assert_whole()


# --- clearing a flag ---


def test_a_flag_is_cleared(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    one, two = write(row, acme), write(row, acme)
    by = staff_of(acme)
    clear_flag(conversation=row, message_id=one.pk, by=by)
    row.refresh_from_db()
    assert row.is_flagged  # the other one is still there
    clear_flag(conversation=row, message_id=two.pk, by=by)
    row.refresh_from_db()
    assert (row.is_flagged, row.flag_reasons) == (False, [])
    assert list(Message.objects.values_list("is_flagged", flat=True)) == [False, False]
    assert Message.objects.get(pk=one.pk).flag_reasons[0]["rule"] == "keyword"  # why it was flagged stays known
    told = [kind for kind, changes in events_of(row.pk) if changes == {"is_flagged": [True, False]}]
    assert told == ["conversation.message.updated"] * 2
    with pytest.raises(NotFound):
        clear_flag(conversation=row, message_id=one.pk, by=by)


@pytest.mark.contract("workspace: flag marks the message")
@pytest.mark.parametrize("does", [["flag"], BOTH])
def test_a_conversations_flag_goes_with_its_messages(acme: NewTenant, row: Conversation, does: list[str]) -> None:
    want(acme, *does, blacklist_keywords=["kumquat", "durian"])
    by = staff_of(acme)
    one, two, calm = write(row, acme), write(row, acme, "a durian"), write(row, acme, "Hello")
    delete_message(conversation=row, message_id=calm.pk, by=by)
    row.refresh_from_db()
    assert (row.is_flagged, row.flag_reasons[0]["detail"]) == (True, "durian")
    delete_message(conversation=row, message_id=two.pk, by=by)
    row.refresh_from_db()
    assert (row.is_flagged, row.flag_reasons) == (True, one.flag_reasons)  # of what is left
    delete_message(conversation=row, message_id=one.pk, by=by)
    row.refresh_from_db()
    assert (row.is_flagged, row.flag_reasons) == (False, [])
    assert_whole()


def test_a_flag_that_staff_cleared_does_not_come_back(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    one, two = write(row, acme), write(row, acme)
    clear_flag(conversation=row, by=staff_of(acme))
    delete_message(conversation=row, message_id=two.pk, by=staff_of(acme))
    row.refresh_from_db()
    assert (row.is_flagged, Message.objects.get(pk=one.pk).is_flagged) == (False, True)


def test_a_conversations_own_flag_is_cleared(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    message = write(row, acme)
    clear_flag(conversation=row, by=staff_of(acme))
    row.refresh_from_db()
    assert (row.is_flagged, row.flag_reasons) == (False, [])
    assert Message.objects.get(pk=message.pk).is_flagged
    before = everything()
    clear_flag(conversation=row, by=staff_of(acme))
    assert everything() == before


def test_a_cleared_held_message_tells_nobody(acme: NewTenant, row: Conversation) -> None:
    want(acme, *BOTH)
    held = write(row, acme)
    told = events_of(row.pk)
    clear_flag(conversation=row, message_id=held.pk, by=staff_of(acme))
    assert events_of(row.pk) == told


# --- again, and at once ---


@pytest.mark.contract("workspace: It acts on every incoming customer message")
@pytest.mark.parametrize(("sensitivity", "first"), [("high", 3), ("medium", 4), ("low", 6)])
def test_the_same_again(acme: NewTenant, row: Conversation, sensitivity: str, first: int) -> None:
    """… repeated or bursty messages; sensitivity sets the score to pass"""
    want(acme, "flag", sensitivity=sensitivity)
    with time_machine.travel(NOON, tick=False) as clock:
        flagged = []
        for text in ["Please answer me!", "please  answer me", "PLEASE ANSWER ME"] * 2:
            clock.shift(30)
            flagged.append(write(row, acme, text).is_flagged)
    assert flagged == [n >= first for n in range(1, 7)]


def test_the_same_again_is_known_across_conversations_and_held_ones_count(acme: NewTenant) -> None:
    want(acme, "quarantine")
    with time_machine.travel(NOON, tick=False) as clock:
        held = []
        for _ in range(6):
            clock.shift(30)
            held.append(write(new_conversation(acme), acme, "Buy my books").visibility)
    assert held == ["public"] * 3 + ["held"] * 3


def test_the_same_again_after_a_while_or_by_another_or_shortly_said(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    other = people.create_contact(client=acme.client, name="Eva")
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(5):
            clock.shift(601)
            assert not write(row, acme, "Good morning to all").is_flagged
        for _ in range(3):
            clock.shift(30)
            assert not write(row, acme, "Where are you").is_flagged
            assert not send_message(conversation=row, sender=as_contact(other), text="Where are you").is_flagged
        for _ in range(6):
            clock.shift(20)
            assert not write(row, acme, "ok").is_flagged


@pytest.mark.contract("workspace: It acts on every incoming customer message")
@pytest.mark.parametrize(
    ("sensitivity", "seconds", "first"),
    [("high", 0, 6), ("medium", 0, 8), ("low", 0, 12), ("high", 4, 12), ("medium", 2.5, 20), ("low", 1.9, 30)],
)
def test_many_at_once(acme: NewTenant, row: Conversation, sensitivity: str, seconds: float, first: int) -> None:
    want(acme, "flag", sensitivity=sensitivity)
    with time_machine.travel(NOON, tick=False) as clock:
        flagged = []
        for n in range(32):
            flagged.append(write(row, acme, f"line {n} of a log").is_flagged)
            clock.shift(seconds)
    assert flagged.index(True) == first - 1
    assert all(flagged[first - 1 :])


def test_a_dozen_photos_are_no_burst(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    with time_machine.travel(NOON, tick=False):
        marks = [
            write(row, acme, "", type="image", content={"url": f"https://files.example.com/{n}.png"}).is_flagged
            for n in range(14)
        ]
    assert marks == [False] * 14


@pytest.mark.contract("behaviour: Anti-spam starts as")
def test_a_load_of_short_messages_is_no_spam_while_it_is_off(acme: NewTenant) -> None:
    """20 × 100 of one sender; with it on, those beyond a burst are marked."""
    conversations = [new_conversation(acme) for _ in range(20)]
    for row in conversations[:2]:
        for n in range(100):
            write(row, acme, f"short {n % 7}")
    assert not Message.objects.filter(is_flagged=True).exists()
    assert Message.objects.counted().count() == 200
    want(acme, "flag")
    marks = [write(row, acme, f"short {n % 7}").is_flagged for row in conversations[2:3] for n in range(20)]
    assert all(marks)
    assert_whole()


# --- cost ---


def test_disabled_it_costs_no_statement(acme: NewTenant, row: Conversation) -> None:
    write(row, acme, "Hello")
    off = statements(lambda: write(row, acme, "Hello"))
    want(acme, *BOTH)
    write(row, acme, "Hello")
    on = statements(lambda: write(row, acme, "Hello there"))
    assert len(on) == len(off) + 1
    want(acme, *BOTH, enabled=False)
    write(row, acme, "Hello")
    assert len(statements(lambda: write(row, acme, "Hello"))) == len(off)


def test_the_look_back_is_bounded(acme: NewTenant, row: Conversation) -> None:
    want(acme, "flag")
    write(row, acme, "Hello")
    [look] = [sql for sql in statements(lambda: write(row, acme, "x" * 10_000)) if 'AS "beginning"' in sql]
    assert "LIMIT" in look


def test_the_quarantine_and_the_look_back_walk_their_indexes(acme: NewTenant, row: Conversation) -> None:
    held = Message.objects.for_client(acme.client.pk).held().order_by("-id")[:50]
    newest = Message.objects.filter(sender_contact=acme.contacts[0].pk).order_by("-id")[:40]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # whose planner reads a small table whole
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        assert "message_held" in held.explain()
        assert "message_by_contact" in newest.explain()
