"""The demonstration is what live traffic would have left: exact figures, ids in the order of time."""

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clients.models import Client, Contact, User
from conversations.models import Conversation, Event, SessionHistory, StateChange
from conversations.sessions import split
from conversations.states import Status
from messaging.demo.script import script
from messaging.models import Message

pytestmark = pytest.mark.django_db


def create_demo() -> str:
    output = io.StringIO()
    call_command("create_demo", stdout=output)
    return output.getvalue()


def printed(output: str, label: str) -> str:
    match = re.search(rf"^{label}\s+(\S+)$", output, re.MULTILINE)
    assert match is not None, f"{label} is not in the output"
    return match[1]


def recount(row: Conversation) -> tuple[dict[str, Any], list[datetime]]:
    """The figures of a conversation, counted here, by none of the code that keeps them."""
    public = [m for m in row.messages.select_related("sender_agent").order_by("seq") if m.visibility == "public"]
    waiting = None
    for message in public:
        if message.is_customer:
            waiting = waiting or message.created_at
        elif message.sender_agent_id:
            waiting = None
    values = {
        "last_seq": row.messages.count(),
        "message_count": len(public),
        "last_message_at": public[-1].created_at,
        "last_message_seq": public[-1].seq,
        "activity_at": public[-1].created_at,
        "waiting_since": waiting,
        "owner_unread": sum(m.sender_agent_id is not None and m.seq > row.owner_read_seq for m in public),
        "staff_unread": sum(m.is_customer and m.seq > row.staff_read_seq for m in public),
        "participant_count": row.participants.filter(removed_at=None).count(),
    }
    return values, [m.created_at for m in public]


def test_it_is_a_week_of_traffic_with_exact_figures():
    create_demo()
    now = timezone.now()

    rows = list(Conversation.objects.all())
    assert len(rows) == 60
    assert {row.status for row in rows} == set(Status.values)
    assert {row.channel for row in rows} == {"whatsapp", "telegram", "website", "api", "email"}
    for row in rows:
        wanted, times = recount(row)
        assert {name: getattr(row, name) for name in wanted} == wanted, row.title
        sessions = SessionHistory.objects.filter(conversation=row).order_by("session_start")
        assert [(s.session_start, s.session_end, s.messages_count, s.duration_minutes) for s in sessions] == [
            (s.start, s.end, s.count, s.minutes) for s in split(times)
        ]
        for participant in row.participants.filter(removed_at=None):
            others = row.messages.counted().filter(seq__gt=participant.last_read_seq)
            unread = others.exclude(sender_user=participant.user).count() if participant.user else 0
            assert (participant.unread_count, participant.activity_at, participant.is_pinned) == (
                unread, row.activity_at, row.is_pinned
            )  # fmt: skip
        assert list(row.messages.order_by("seq").values_list("seq", flat=True)) == list(range(1, row.last_seq + 1))

    messages = Message.objects.order_by("id")
    assert [m.created_at for m in messages] == sorted(m.created_at for m in messages)
    assert now - timedelta(days=8) < messages[0].created_at
    assert now - timedelta(minutes=4) < messages.last().created_at <= now
    assert {m.type for m in messages} >= {"text", "image", "location", "contact"}
    assert messages.filter(visibility="private").count() >= 8
    assert messages.filter(is_flagged=True).exists()

    live = [row for row in rows if row.waiting_since]
    assert len(live) >= 8
    assert any(row.assigned_agent_id is None for row in live)
    assert any(row.staff_unread for row in rows)
    assert any(row.snoozed_until and row.snoozed_until > now for row in rows)
    assert StateChange.objects.filter(old="resolved", new="active").exists()
    assert StateChange.objects.filter(new="escalated", by_name="Budi Santoso").exists()
    assert not StateChange.objects.filter(created_at__gt=now).exists()

    created = Event.objects.filter(kind="conversation.message.created").count()
    assert created == messages.filter(visibility="public").count()
    assert not Event.objects.filter(created_at__gt=now).exists()
    for contact in Contact.objects.all():
        assert re.fullmatch(r"120255501\d\d|447700900\d\d\d", contact.phone)
    assert {user.email.split("@")[1] for user in User.objects.exclude(role="service")} == {"example.com"}


def test_what_it_prints_lets_a_newcomer_in(api):
    output = create_demo()

    people = re.findall(r"^(Superuser|Client admin|Supervisor|Agent|End user)\s.*\s(\S+@example\.com)\s+(\S+)$", output,
                        re.MULTILINE)  # fmt: skip
    assert [who for who, _, _ in people] == [
        "Superuser", "Client admin", "Supervisor", "Agent", "Agent", "End user", "End user", "End user",
    ]  # fmt: skip
    totals = {}
    for _, email, password in people:
        answer = api().post("/api/auth/token", {"email": email, "password": password})
        assert answer.status_code == 200, email
        access = answer.json()["access"]
        seen = api().get("/chat/conversations", Authorization=f"Bearer {access}").json()
        totals[email] = seen["data"]["total"]
    assert totals["admin@example.com"] == totals["sari.wulandari@example.com"] == 60
    assert totals["daniel.ortega@example.com"] == 60
    assert 0 < totals["ana.beltran@example.com"] < 60
    assert 0 < totals["budi.santoso@example.com"] < 60
    owned = Conversation.objects.filter(owner__email="maya.hart@example.com").count()
    assert totals["maya.hart@example.com"] == owned == 3

    body = re.search(r"-d '(\{.*\})'", output)
    assert body is not None
    opened = api().post("/api/chat/create", body[1])
    assert opened.status_code == 200
    assert opened.json()["record"]["clientId"] == str(Client.objects.get().uuid)
    assert printed(output, "Session id") in body[1]
    assert printed(output, "API token").startswith("cpt_")
    assert printed(output, "Public key").startswith("pk_")


def test_it_is_refused_where_a_client_or_a_user_is(acme):
    before = (Client.objects.count(), User.objects.count(), Message.objects.count())
    with pytest.raises(CommandError, match="empty database"):
        create_demo()
    assert (Client.objects.count(), User.objects.count(), Message.objects.count()) == before


def test_a_line_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a line of a dialogue: 'X what'"):
        script("whatsapp", "Emma", "1h", "Emma", "X what")
