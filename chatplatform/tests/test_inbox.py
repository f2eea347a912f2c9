"""The lists that staff work from: what is in them, in which order, and that no page and no count reads all."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients.actions import NewTenant, agent_of_staff
from clients.callers import caller_of_user, system_caller
from clients.models import Agent
from conversations import actions, inbox
from conversations.actions import Person
from conversations.models import Conversation, Event
from messaging.actions import send_message
from messaging.senders import as_agent, as_contact

from .admin_world import browser_of, page, staff_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


def made(tenant: NewTenant, title: str, **columns: Any) -> Conversation:
    columns = {"status": "active", "channel": "whatsapp"} | columns
    people = [Person(contact_id=tenant.contacts[0].pk)]
    by = system_caller(tenant.client)
    return actions.create_conversation(client_id=tenant.client.pk, by=by, title=title, people=people, **columns)


@pytest.fixture
def staff(acme: NewTenant) -> Any:
    user = staff_of(acme, "supervisor")
    agent_of_staff(caller_of_user(user, None), client_id=acme.client.pk)
    return user


@pytest.fixture
def filled(acme: NewTenant, rival: NewTenant, staff: Any) -> NewTenant:
    """One conversation in every state that a list asks for, and a stranger's."""
    now, me = timezone.now(), Agent.objects.get(user=staff)
    made(acme, "mine", assigned_agent=me)
    made(acme, "another's", assigned_agent=acme.agents[0])
    made(acme, "escalated", status="escalated")
    made(acme, "flagged", is_flagged=True, status="resolved")
    made(acme, "snoozed", snoozed_until=now + timedelta(hours=1))
    made(acme, "awake again", snoozed_until=now - timedelta(hours=1))
    made(acme, "archived", is_archived=True)
    made(acme, "closed", status="closed")
    for title, minutes in (("waits", 10), ("waits longest", 90)):
        row = made(acme, title, at=now - timedelta(minutes=minutes))
        sender = as_contact(acme.contacts[0])
        send_message(conversation=row, sender=sender, text="?", created_at=now - timedelta(minutes=minutes))
    made(rival, "theirs")
    return acme


OPEN = ["mine", "another's", "escalated", "awake again", "waits", "waits longest"]
EXPECTED = {
    "open": OPEN, "mine": ["mine"], "unassigned": [one for one in OPEN if one not in ("mine", "another's")],
    "waiting": ["waits longest", "waits"], "escalated": ["escalated"], "flagged": ["flagged"], "snoozed": ["snoozed"],
    "closed": ["flagged", "closed"],
    "all": [*OPEN, "flagged", "snoozed", "archived", "closed"],
}  # fmt: skip


def shown(browser: Any, query: str) -> list[str]:
    answer = browser.get(page(Conversation, "changelist") + query)
    assert answer.status_code == 200
    return [row.title for row in answer.context["cl"].result_list]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_in_a_list(filled: NewTenant, staff: Any, name: str) -> None:
    """and the number beside it"""
    found = shown(browser_of(staff), f"?view={name}")
    assert sorted(found) == sorted(EXPECTED[name])
    if name == "waiting":
        assert found == EXPECTED[name]
    assert inbox.counts(caller_of_user(staff, Agent.objects.get(user=staff)), filled.client.pk)[name] == len(found)
    assert set(EXPECTED) == set(inbox.VIEWS)


def test_a_search_and_a_filter_look_at_everything(filled: NewTenant, staff: Any) -> None:
    browser = browser_of(staff)
    assert sorted(shown(browser, "")) == sorted(OPEN)
    assert shown(browser, "?q=archived") == ["archived"]
    assert sorted(shown(browser, "?status__exact=closed")) == ["closed"]
    assert shown(browser, "?q=archived&view=open") == []
    assert sorted(shown(browser, "?view=none-such")) == sorted(OPEN)


def test_an_agent_with_queues_counts_and_sees_theirs(acme: NewTenant) -> None:
    user = staff_of(acme, "agent")
    caller = caller_of_user(user, None)
    agent = agent_of_staff(caller, client_id=acme.client.pk)
    Agent.objects.filter(pk=agent.pk).update(queues=["billing"])
    made(acme, "ours", queue="billing")
    made(acme, "not ours", queue="shipping")
    browser = browser_of(user)
    assert shown(browser, "?view=unassigned") == ["ours"]
    views = browser.get(page(Conversation, "changelist")).context["cl"].views
    assert [view["count"] for view in views] == ["1", "0", "1", "0", "0", "0", "0", "0", "1"]


def walk(browser: Any, query: str, way: str) -> Iterator[list[str]]:
    while query:
        listed = browser.get(page(Conversation, "changelist") + query).context["cl"]
        yield [row.title for row in listed.result_list]
        query = getattr(listed, way)


@pytest.mark.parametrize("view", ["open", "waiting", "snoozed"])
def test_pages_leave_nothing_out_and_repeat_nothing(acme: NewTenant, staff: Any, view: str) -> None:
    """also where many stand at the same moment"""
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(
            client=acme.client, channel="web", title=f"{n:03}", status="active",
            activity_at=now - timedelta(minutes=n // 20), waiting_since=now - timedelta(minutes=n // 20),
            snoozed_until=now + timedelta(minutes=1 + n // 20) if view == "snoozed" else None,
        )
        for n in range(120)
    )  # fmt: skip
    browser = browser_of(staff)
    pages = list(walk(browser, f"?view={view}", "older"))
    titles = [title for one in pages for title in one]
    assert [len(one) for one in pages] == [50, 50, 20]
    assert sorted(titles) == [f"{n:03}" for n in range(120)]
    times = [int(title) // 20 for title in titles]
    assert times == sorted(times, reverse=view == "waiting")

    last = browser.get(page(Conversation, "changelist") + f"?view={view}").context["cl"]
    for _ in range(2):
        last = browser.get(page(Conversation, "changelist") + last.older).context["cl"]
    assert last.older == ""
    assert list(walk(browser, last.newer, "newer")) == [pages[1], pages[0]]


@pytest.mark.parametrize("place", ["x", "1-", "-1", "9" * 16 + "-" + "9" * 18, "0-0", "1-1&before=2-2", "٣-٣"])
def test_a_place_that_is_none_is_no_error_of_ours(filled: NewTenant, staff: Any, place: str) -> None:
    browser = browser_of(staff)
    for way in ("after", "before"):
        assert browser.get(page(Conversation, "changelist") + f"?{way}={place}").status_code == 200


def test_a_row_says_who_waits_and_for_what(filled: NewTenant, staff: Any) -> None:
    row = Conversation.objects.get(title="mine")
    actions.update_conversation(conversation=row, by=system_caller(filled.client), tags=["a", "b", "<i>c</i>"])
    me = Agent.objects.get(user=staff)
    send_message(conversation=row, sender=as_contact(filled.contacts[0]), text="Where <b>is</b> it?")
    send_message(conversation=row, sender=as_agent(me), text="On its way.")
    answer = browser_of(staff).get(page(Conversation, "changelist"))
    rows = {one.title: one.desk for one in answer.context["cl"].result_list}
    assert (rows["mine"].said_by, rows["mine"].agent, rows["mine"].waiting) == ("You", "You", None)
    assert (list(rows["mine"].tags), rows["mine"].more_tags) == (["a", "b"], 1)
    assert (rows["waits longest"].waiting.text, rows["waits longest"].waiting.level) == ("1 h 30 min", "over")
    assert (rows["waits"].waiting.text, rows["waits"].waiting.level) == ("10 min", "")
    assert rows["waits"].name == filled.contacts[0].name
    assert "<b>is</b>" not in answer.content.decode()


@pytest.mark.parametrize("conversations", [1, 50])
def test_a_page_needs_as_few_queries(acme: NewTenant, staff: Any, conversations: int) -> None:
    for n in range(conversations):
        row = made(acme, f"parcel {n}", assigned_agent=acme.agents[0], tags=["a", "b"])
        send_message(conversation=row, sender=as_contact(acme.contacts[0]), text="?")
    browser = browser_of(staff)
    with CaptureQueriesContext(connection) as queries:
        assert len(shown(browser, "?view=open")) == conversations
    assert len(queries) <= 13, [query["sql"][:120] for query in queries]


def test_snoozing_ends_with_the_customers_message(acme: NewTenant) -> None:
    until = timezone.now() + timedelta(days=1)
    row = made(acme, "parcel")
    actions.update_conversation(conversation=row, by=system_caller(acme.client), snoozed_until=until)
    told = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert Event.objects.latest("id").data == {"changes": {"snoozed_until": [None, told]}}

    send_message(conversation=row, sender=as_agent(acme.agents[0]), text="We are waiting for the carrier.")
    assert Conversation.objects.get(pk=row.pk).snoozed_until == until
    send_message(conversation=row, sender=as_contact(acme.contacts[0]), text="Any news?")

    assert Conversation.objects.get(pk=row.pk).snoozed_until is None
    last = Event.objects.latest("id")
    assert (last.kind, last.data) == ("conversation.updated", {"changes": {"snoozed_until": [told, None]}})


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a plan of PostgreSQL")
@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("open", "conversation_at_hand"), ("mine", "conversation_at_hand_of_agent"),
        ("waiting", "conversation_waiting"), ("flagged", "conversation_flagged"), ("snoozed", "conversation_snoozed"),
    ],
)  # fmt: skip
def test_a_list_walks_its_index(acme: NewTenant, staff: Any, name: str, index: str) -> None:
    now, me = timezone.now(), Agent.objects.get(user=staff)
    Conversation.objects.bulk_create(
        Conversation(
            client=acme.client, channel="web", status="active" if n % 10 == 0 else "closed",
            activity_at=now - timedelta(minutes=n), waiting_since=now - timedelta(minutes=n) if n % 20 == 0 else None,
            snoozed_until=now + timedelta(minutes=n) if n % 70 == 0 else None, is_flagged=n % 50 == 0,
            assigned_agent=me if n % 30 == 0 else None,
        )
        for n in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_conversation")
    caller, view = caller_of_user(staff, me), inbox.VIEWS[name]
    rows = view.rows(Conversation.objects.visible_to(caller), caller).order_by(*view.order)[:51]
    plan = rows.explain()
    assert f"using {index} " in plan.replace("\n", " \n") or f"on {index} " in plan, plan
    assert "Seq Scan on conversations_conversation" not in plan
