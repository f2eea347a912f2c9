"""PostgreSQL's plans of the contracts' lists: each walks its index, in order, and stops after a page."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Q, QuerySet

from clients import actions
from clients.callers import Caller, caller_of_user, system_caller
from clients.models import Agent, Contact, User
from conversations.models import Conversation, Participant
from conversations.states import Status
from messaging.models import Message

pytestmark = pytest.mark.django_db
PAGE = 20
#: 8 kB blocks for a page: some levels of the index, and a block for each row.
BUFFERS = 4 * PAGE + 20
CONVERSATIONS, PEOPLE, AGENTS, LONG = 4000, 16, 8, 1500
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Crowd:
    """One tenant with 4,000 conversations over 16 users, 16 contacts and 8 agents; another beside it."""

    def __init__(self) -> None:
        self.client = actions.create_client(name="Acme")
        other = actions.create_client(name="Rival")
        self.users, self.contacts, self.agents = self._people(self.client.pk)
        for client, count in ((self.client, CONVERSATIONS), (other, CONVERSATIONS // 4)):
            people = (self.users, self.contacts, self.agents) if client is self.client else self._people(client.pk)
            self._conversations(client.pk, count, *people)
        self.long = Conversation.objects.filter(client=self.client).earliest("id")
        self._messages()
        with connection.cursor() as cursor:
            for model in (User, Contact, Agent, Conversation, Participant, Message):
                # Not all tables: the catalog is one for all databases, and another test process may be at it.
                cursor.execute(f"ANALYZE {model._meta.db_table}")

    def _people(self, client: int) -> tuple[list[User], list[Contact], list[Agent]]:
        numbers = range(PEOPLE)
        users = [User(client_id=client, username=f"{client}-{n}", name=f"User {n}", password="!") for n in numbers]
        contacts = [Contact(client_id=client, contact_id=f"c{n}", name=f"Contact {n}") for n in numbers]
        agents = [Agent(client_id=client, agent_id=f"a{n}", name=f"Agent {n}") for n in range(AGENTS)]
        return (
            User.objects.bulk_create(users),
            Contact.objects.bulk_create(contacts),
            Agent.objects.bulk_create(agents),
        )

    def _conversations(self, client: int, count: int, users: Any, contacts: Any, agents: Any) -> None:
        statuses = list(Status)
        made = Conversation.objects.bulk_create(
            Conversation(
                client_id=client,
                channel=("website", "whatsapp")[n % 2],
                title=f"Ticket {n}",
                owner=users[n % PEOPLE],
                assigned_agent=agents[n * 7 % AGENTS] if n % 3 else None,
                queue=f"queue {n % 10}" if n % 2 else "",
                bot_id=f"bot {n % 12}" if n % 3 else None,
                created_at=START + timedelta(seconds=n),
                status=statuses[n % len(statuses)],
                is_pinned=n % 50 == 0,
                activity_at=START + timedelta(seconds=n * 7919 % 86_400_0),
                deleted_at=START if n % 20 == 19 else None,
                participant_count=3,
            )
            for n in range(count)
        )
        Participant.objects.bulk_create(
            Participant(conversation=row, activity_at=row.activity_at, is_pinned=row.is_pinned, **{kind: person})
            for n, row in enumerate(made)
            for kind, person in (
                ("user", users[n % PEOPLE]), ("contact", contacts[n % PEOPLE]), ("agent", agents[n * 7 % AGENTS]),
            )
        )  # fmt: skip

    def _messages(self) -> None:
        ids = list(Conversation.objects.filter(client=self.client).values_list("pk", flat=True)[:500])
        where = [self.long.pk] * LONG + ids * 5
        numbers: dict[int, int] = {}
        rows = []
        for n, conversation in enumerate(where):
            numbers[conversation] = numbers.get(conversation, 0) + 1
            rows.append(
                Message(
                    client=self.client, conversation_id=conversation, seq=numbers[conversation],
                    text="My parcel has not arrived yet.", created_at=START + timedelta(seconds=n),
                    sender_contact=self.contacts[n % PEOPLE], is_customer=True,
                )
            )  # fmt: skip
        Message.objects.bulk_create(rows, batch_size=2000)
        Conversation.objects.filter(pk=self.long.pk).update(
            last_seq=numbers[self.long.pk], message_count=numbers[self.long.pk], last_message_at=START
        )

    @property
    def staff(self) -> Caller:
        return system_caller(self.client)

    @property
    def user(self) -> Caller:
        return caller_of_user(self.users[3], None)


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[Crowd]:
    if connection.vendor != "postgresql":
        pytest.skip("the plans of PostgreSQL; SQLite has the same indexes")
    with django_db_blocker.unblock():
        from django.db import transaction

        with transaction.atomic():
            yield Crowd()
            transaction.set_rollback(True)


def plan(rows: QuerySet[Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The root of the plan as it ran, and all its nodes."""
    with connection.cursor() as cursor:
        sql, params = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    root = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    nodes = []

    def walk(node: dict[str, Any]) -> None:
        nodes.append(node)
        for child in node.get("Plans", []):
            walk(child)

    walk(root)
    return root, nodes


def assert_walks(
    rows: QuerySet[Any], index: str, *, buffers: int = BUFFERS, size: int = PAGE, also: frozenset[str] = frozenset()
) -> None:
    """A page from the index's own order: nothing is sorted, scanned or hashed, few rows are touched."""
    root, nodes = plan(rows)
    kinds = {node["Node Type"] for node in nodes}
    shown = ("Node Type", "Index Name", "Index Cond", "Filter", "Sort Key", "Actual Rows", "Shared Hit Blocks")
    told = "\n".join(str({name: node[name] for name in shown if name in node}) for node in nodes)
    assert kinds - also <= {"Limit", "Index Scan", "Index Only Scan", "Nested Loop", "Memoize"}, told
    assert index in [node.get("Index Name") for node in nodes], told
    assert root["Actual Rows"] == size, told
    assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] <= buffers, told


def page(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.values("id", "title", "activity_at")[:PAGE]


def after(rows: QuerySet[Any], *, through: str = "", pinned: bool = False) -> QuerySet[Any]:
    """The keyset page behind a row in the middle of the list."""
    # Names for the columns of the join that is there: a filter by their paths would join once more.
    rows = rows.annotate(at=F(f"{through}activity_at"), key=F(f"{through}conversation_id" if through else "id"))
    at, key = rows.values_list("at", "key")[rows.count() // 2]
    keyset = Q(at__lt=at) | Q(at=at, key__lt=key)
    if pinned:
        keyset &= Q(is_pinned=False)
    # What the index can seek to; the keyset proper only decides among rows of one instant.
    return rows.filter(keyset, at__lte=at)


LISTS = {
    "the whole client": ("conversation_by_activity", lambda c: Conversation.objects.visible_to(c.staff)),
    "a status": (
        "conversation_by_status",
        lambda c: Conversation.objects.visible_to(c.staff).filter(status="escalated"),
    ),
    "a channel": (
        "conversation_by_channel",
        lambda c: Conversation.objects.visible_to(c.staff).filter(channel="whatsapp"),
    ),
    "an agent's": (
        "conversation_by_agent",
        lambda c: Conversation.objects.visible_to(c.staff).filter(assigned_agent=c.agents[5].pk),
    ),
    "a queue's": (
        "conversation_by_queue",
        lambda c: Conversation.objects.visible_to(c.staff).filter(queue="queue 3"),
    ),
    "an owner's": (
        "conversation_by_owner",
        lambda c: Conversation.objects.visible_to(c.staff).filter(owner=c.users[7].pk),
    ),
}
PARTICIPATIONS = {
    "a user's": ("participant_by_user", lambda c: Conversation.objects.visible_to(c.user)),
    "a user's that are not archived": (
        "participant_by_user",
        lambda c: Conversation.objects.visible_to(c.user).filter(is_archived=False),
    ),
    "those in which a supervisor takes part": (
        "participant_by_user",
        lambda c: Conversation.objects.visible_to(replace(c.user, role="supervisor", only_own=True)),
    ),
    "a contact's": (
        "participant_by_contact",
        lambda c: Conversation.objects.visible_to(c.staff).of_participant(contact=c.contacts[4].pk),
    ),
    "a contact's since a time": (
        "participant_by_contact",
        lambda c: Conversation.objects.visible_to(c.staff).of_participant(contact=c.contacts[4].pk).made(since=START),
    ),
    "that an agent takes part in": (
        "participant_by_agent",
        lambda c: Conversation.objects.visible_to(c.staff).of_participant(agent=c.agents[4].pk),
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_a_client(crowd: Crowd, name: str) -> None:
    index, build = LISTS[name]
    rows = build(crowd)
    assert_walks(page(rows.by_activity()), index)
    assert_walks(page(rows.by_activity(ascending=True)), index)
    assert_walks(page(after(rows.by_activity())), index)


@pytest.mark.parametrize("name", PARTICIPATIONS)
def test_lists_of_a_person(crowd: Crowd, name: str) -> None:
    index, build = PARTICIPATIONS[name]
    rows = build(crowd)
    assert_walks(page(rows.by_activity()), index, buffers=2 * BUFFERS)
    assert_walks(page(after(rows.by_activity(), through="participants__")), index, buffers=2 * BUFFERS)


def test_pinned_first(crowd: Crowd) -> None:
    rows = Conversation.objects.visible_to(crowd.staff).by_activity(pinned_first=True)
    assert_walks(page(rows), "conversation_pinned")
    assert_walks(page(after(rows, pinned=True)), "conversation_pinned")
    mine = Conversation.objects.visible_to(crowd.user).by_activity(pinned_first=True)
    assert_walks(page(mine), "participant_user_pinned", buffers=2 * BUFFERS)


NEWEST = {
    "the whole client": ("conversation_newest", lambda c: Conversation.objects.visible_to(c.staff)),
    "a bot's": ("conversation_by_bot", lambda c: Conversation.objects.visible_to(c.staff).filter(bot_id="bot 5")),
    "a user's": ("participant_user_newest", lambda c: Conversation.objects.visible_to(c.user)),
    "an owner's": (
        "conversation_newest_of_owner",
        lambda c: Conversation.objects.visible_to(c.staff).filter(owner=c.users[7].pk),
    ),
}


@pytest.mark.parametrize("name", NEWEST)
def test_newest_first(crowd: Crowd, name: str) -> None:
    index, build = NEWEST[name]
    rows = build(crowd).newest_first().values("uuid", "room", "created_at")
    # A user who takes part in much: two indexes in the same order, merged.
    assert_walks(rows[:PAGE], index, buffers=2 * BUFFERS, also=frozenset({"Merge Join"}))


@pytest.mark.parametrize("order", ["seq", "-seq"])
def test_the_messages_of_a_conversation(crowd: Crowd, order: str) -> None:
    rows = Message.objects.of(crowd.long.pk).counted()
    newest = rows.order_by(order).values("id", "text", "seq")[:50]
    assert_walks(newest, "message_seq_unique", size=50)
    beyond = rows.filter(seq__gt=700) if order == "seq" else rows.filter(seq__lt=700)
    assert_walks(beyond.order_by(order).values("id", "text")[:50], "message_seq_unique", size=50)
    between = rows.filter(seq__gt=100, seq__lt=1400).order_by(order)
    senders = ("sender_contact__contact_id", "sender_agent__agent_id", "sender_user__uuid")
    few = frozenset({"Seq Scan", "Materialize"})  # of agents and users, who are few here
    assert_walks(between.values("id", "text", *senders)[:50], "message_seq_unique", buffers=400, size=50, also=few)


def test_one_message_and_one_conversation_are_one_look_up(crowd: Crowd) -> None:
    row = Conversation.objects.visible_to(crowd.user).first()
    assert row is not None
    found = Conversation.objects.visible_to(crowd.user).filter(pk=row.pk).values("id", "title")
    root, nodes = plan(found)
    assert {node["Node Type"] for node in nodes} <= {"Nested Loop", "Index Scan", "Index Only Scan"}
    assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] <= 20
