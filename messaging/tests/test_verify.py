"""`verify_integrity` finds every kind of planted error, mends it, and says nothing of a store that is right."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from clients.actions import NewTenant, create_tenant
from clients.callers import Caller
from clients.models import User
from conftest import caller_of
from conversations import actions as conversation_actions
from conversations.actions import Person
from conversations.models import Conversation, Event, Participant, SessionHistory, StateChange
from messaging.actions import add_note, delete_message, send_message
from messaging.integrity import repair_conversation
from messaging.integrity import verify as verify_store
from messaging.models import Attachment, Message
from messaging.senders import as_agent, as_user

YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)


def converse(tenant: NewTenant) -> Conversation:
    """A live conversation of an owner, a second user and an agent: sent, noted, read, deleted, resolved."""
    owner, second = (caller_of(new.user) for new in tenant.users)
    staff, agent = caller_of(tenant.staff.user), tenant.agents[0]
    people = [
        Person(user_id=owner.user_id, role="customer", can_manage=True),
        Person(user_id=second.user_id),
        Person(agent_id=agent.pk, role="agent"),
    ]
    row = conversation_actions.create_conversation(
        client_id=tenant.client.pk, by=owner, channel="website", people=people, title="Two lamps",
        owner_id=owner.user_id, assigned_agent=agent, at=datetime(2024, 3, 4, 9, tzinfo=UTC),
    )  # fmt: skip
    send = [
        (as_user(owner), "Both lamps arrived broken."),
        (as_agent(agent), "I am sorry. Do you have photos?"),
        (as_user(second), "We do, I send them tomorrow."),
        (as_agent(agent), "Thank you."),
        (as_user(owner), "Wrong chat, sorry."),
    ]
    for minute, (sender, text) in enumerate(send):
        at = datetime(2024, 3, 4, 9 + minute // 3, minute, tzinfo=UTC)
        sent = send_message(conversation=row, sender=sender, text=text, created_at=at)
        if minute == 1:
            conversation_actions.mark_read(conversation=row, by=owner)
            conversation_actions.mark_read(conversation=row, by=staff)
    delete_message(conversation=row, message_id=sent.pk, by=staff)
    add_note(conversation=row, sender=as_agent(agent), text="Second complaint this month.")
    conversation_actions.change_status(conversation=row, status="resolved", by=staff)
    conversation_actions.update_conversation(conversation=row, by=owner, is_pinned=True)
    row.refresh_from_db()
    return row


@pytest.fixture
def row(acme: NewTenant, rival: NewTenant) -> Conversation:
    converse(rival)
    empty = conversation_actions.create_conversation(
        client_id=acme.client.pk, by=caller_of(acme.users[0].user), channel="website"
    )
    conversation_actions.delete_conversation(conversation=empty, by=caller_of(acme.staff.user))
    return converse(acme)


def verify(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and what was printed."""
    capsys.readouterr()
    code = 0
    try:
        call_command("verify_integrity", "--json", *arguments)
    except CommandError as error:
        code = error.returncode
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.contract("mapping: Counters are kept in the same transaction")
def test_what_the_actions_made_is_right(row: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(capsys) == (0, {"differences": [], "conversations": 3, "different": 0, "repaired": 0})
    assert verify(capsys, "--repair") == (0, {"differences": [], "conversations": 3, "different": 0, "repaired": 0})
    # The figures themselves, so that the two are not wrong together.
    assert (row.message_count, row.last_seq, row.last_message_seq, row.participant_count) == (4, 6, 4, 3)
    assert (row.owner_unread, row.staff_unread, row.waiting_since, row.status) == (1, 1, None, "resolved")
    assert list(row.participants.order_by("id").values_list("unread_count", flat=True)) == [2, 3, 0]


def _conversation(**values: Any) -> Callable[[Conversation], object]:
    return lambda row: Conversation.objects.filter(pk=row.pk).update(**values)


def _participant(kind: str, **values: Any) -> Callable[[Conversation], object]:
    return lambda row: Participant.objects.filter(conversation=row, **{f"{kind}__isnull": False}).update(**values)


def _messages(**values: Any) -> Callable[[Conversation], object]:
    return lambda row: Message.objects.filter(conversation=row, seq=2).update(**values)


def _foreign(row: Conversation) -> None:
    other = Conversation.objects.exclude(client=row.client_id).get()
    Message.objects.filter(conversation=row, seq=2).update(client=other.client_id)


def _attachment(row: Conversation) -> None:
    message = Message.objects.get(conversation=row, seq=1)
    Attachment.objects.create(message=message, file_name="lamp.jpg", url="https://example.com/lamp.jpg")


PLANTED: list[tuple[str, Callable[[Conversation], object]]] = [
    ("message_count", _conversation(message_count=3)),
    ("last_seq", _conversation(last_seq=9)),
    ("last_message_at", _conversation(last_message_at=YEAR_2000)),
    ("last_message_seq", _conversation(last_message_seq=2)),
    ("last_message_text", _conversation(last_message_text="Wrong chat, sorry.")),
    ("activity_at", _conversation(activity_at=YEAR_2000)),
    ("owner_unread", _conversation(owner_unread=0)),
    ("staff_unread", _conversation(staff_unread=4)),
    ("waiting_since", _conversation(waiting_since=YEAR_2000)),
    ("session_started_at", _conversation(session_started_at=None)),
    ("participant_count", _conversation(participant_count=4)),
    ("status", _conversation(status="active")),
    ("title_folded", _conversation(title_folded="two lambs")),
    ("unread_count of participant", _participant("user", unread_count=7)),
    ("unread_count of participant", _participant("agent", unread_count=1)),
    ("last_read_seq of participant", _participant("agent", last_read_seq=99)),
    ("activity_at of participant", _participant("agent", activity_at=YEAR_2000)),
    ("is_pinned of participant", _participant("user", is_pinned=False)),
    ("client_id of messages", _foreign),
    ("attachment_count", _messages(attachment_count=2)),
    ("attachment_count", _attachment),
    ("sessions", lambda row: SessionHistory.objects.filter(conversation=row).delete()),
    ("sessions", lambda row: SessionHistory.objects.filter(conversation=row).update(messages_count=F("id"))),
    ("message_count", _messages(visibility="private")),
    ("message_count", _messages(deleted_at=YEAR_2000)),
]


@pytest.mark.contract("mapping: Counters are kept in the same transaction")
@pytest.mark.parametrize(("field", "plant"), PLANTED)
def test_a_planted_error_is_found_and_repaired(
    row: Conversation, field: str, plant: Callable[[Conversation], object], capsys: pytest.CaptureFixture[str]
) -> None:
    others = list(Conversation.objects.exclude(pk=row.pk).order_by("pk").values())
    plant(row)

    code, told = verify(capsys)
    assert code == 1
    assert told["repaired"] == 0
    found = [difference for difference in told["differences"] if difference["field"].startswith(field)]
    assert found
    assert {difference["conversation"] for difference in told["differences"]} == {row.pk}
    assert all(difference["stored"] != difference["right"] for difference in found)

    code, mended = verify(capsys, "--repair")
    assert code == 1
    assert mended["differences"] == [{**difference, "repaired": True} for difference in told["differences"]]
    assert verify(capsys) == (0, {"differences": [], "conversations": 3, "different": 0, "repaired": 0})
    assert list(Conversation.objects.exclude(pk=row.pk).order_by("pk").values()) == others


def test_a_repair_gives_back_what_was_there(row: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    before = Conversation.objects.filter(pk=row.pk).values().get()
    people = list(row.participants.order_by("id").values("unread_count", "last_read_seq", "activity_at", "is_pinned"))
    Conversation.objects.filter(pk=row.pk).update(
        message_count=0, last_message_at=None, last_message_seq=0, last_message_text="", owner_unread=0,
        staff_unread=0, participant_count=0, activity_at=YEAR_2000, waiting_since=YEAR_2000, status="new",
    )  # fmt: skip
    row.participants.update(unread_count=1, activity_at=YEAR_2000, is_pinned=False)
    assert verify(capsys, "--repair")[0] == 1
    after = Conversation.objects.filter(pk=row.pk).values().get()
    assert {**after, "updated_at": None} == {**before, "updated_at": None}
    assert people == list(
        row.participants.order_by("id").values("unread_count", "last_read_seq", "activity_at", "is_pinned")
    )
    told = Event.objects.filter(conversation=row).latest("id")
    assert (told.kind, told.data) == ("conversation.updated", {"changes": {"status": ["new", "resolved"]}})
    assert StateChange.objects.filter(conversation=row).count() == 1


def test_the_owner_takes_part_again(row: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    Participant.objects.filter(conversation=row, user=row.owner).delete()
    code, told = verify(capsys, "--repair")
    assert code == 1
    assert {difference["field"] for difference in told["differences"]} == {"owner", "participant_count"}
    back = Participant.objects.get(conversation=row, user=row.owner)
    assert (back.role, back.can_manage, back.is_pinned) == ("customer", True, True)
    assert verify(capsys)[0] == 0


def test_a_lost_message_is_told_and_cannot_be_mended(row: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    Message.objects.filter(conversation=row, seq=2).delete()
    code, told = verify(capsys, "--repair")
    lost = [difference for difference in told["differences"] if difference["field"] == "messages"]
    assert code == 1
    assert [(one["stored"], one["right"], one["repaired"]) for one in lost] == [("1 lost", "0 lost", False)]
    code, told = verify(capsys)
    assert (code, [difference["field"] for difference in told["differences"]]) == (1, ["messages"])


def test_one_client_only_and_lines_for_people(
    row: Conversation, acme: NewTenant, rival: NewTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    Conversation.objects.filter(pk=row.pk).update(staff_unread=3)
    assert verify(capsys, "--client", str(rival.client.uuid))[0] == 0
    assert verify(capsys, "--client", "Acme")[0] == 1
    with pytest.raises(CommandError, match="1 differences, 0 repaired"):
        call_command("verify_integrity")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"conversation {row.pk} ({row.uuid}): staff_unread is 3, must be 1"
    assert out[1].startswith("3 conversations recounted: 1 differences, 0 repaired; ")
    [mended] = repair_conversation(conversation=row)
    assert str(mended) == f"{out[0]}, repaired"
    row.refresh_from_db()
    assert row.staff_unread == 1


def test_more_conversations_than_one_batch(acme: NewTenant, capsys: pytest.CaptureFixture[str]) -> None:
    Conversation.objects.bulk_create(
        Conversation(client=acme.client, channel="website", title_folded="website", created_at=at, activity_at=at)
        for at in (YEAR_2000 + timedelta(minutes=n) for n in range(450))
    )
    wrong = Conversation.objects.order_by("-id")[0]
    Conversation.objects.filter(pk=wrong.pk).update(activity_at=wrong.created_at + timedelta(days=1))
    code, told = verify(capsys)
    assert (code, told["conversations"]) == (1, 450)
    assert [(one["conversation"], one["field"]) for one in told["differences"]] == [(wrong.pk, "activity_at")]


def test_no_false_alarm_while_others_write(transactional_db: None, capsys: pytest.CaptureFixture[str]) -> None:
    tenant = create_tenant(name="Acme")
    rows = [converse(tenant) for _ in range(3)]
    done = threading.Event()
    sent: list[int] = []

    def write(user: User, reader: Caller) -> None:
        try:
            for number in range(30):
                row = rows[number % len(rows)]
                message = send_message(conversation=row, sender=as_user(caller_of(user)), text="And the third lamp?")
                sent.append(message.seq)
                conversation_actions.mark_read(conversation=row, by=reader)
        finally:
            connection.close()

    staff = caller_of(tenant.staff.user)
    threads = [threading.Thread(target=write, args=[new.user, staff]) for new in tenant.users]

    def join() -> None:
        for thread in threads:
            thread.join()
        done.set()

    for thread in threads:
        thread.start()
    threading.Thread(target=join).start()
    while not done.is_set():
        assert verify(capsys) == (0, {"differences": [], "conversations": 3, "different": 0, "repaired": 0})
    assert len(sent) == 60
    assert verify(capsys)[0] == 0


def test_a_batch_takes_as_many_queries_as_one_conversation(
    row: Conversation, acme: NewTenant, rival: NewTenant, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(10):  # a batch, eight counts, and no further batch
        assert [(checked, found) for checked, found in verify_store(rival.client.pk)] == [(1, [])]
    for _ in range(5):
        converse(acme)
    with django_assert_num_queries(10):
        assert [(checked, found) for checked, found in verify_store()] == [(8, [])]


def test_a_state_without_history_is_told_but_cannot_be_mended(
    row: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    StateChange.objects.filter(conversation=row).delete()
    _conversation(status="closed")(row)
    for arguments in ([], ["--repair"], []):
        code, told = verify(capsys, *arguments)
        [found] = told["differences"]
        assert (code, found["field"], found["stored"], found["repaired"]) == (1, "status", "closed", False)
