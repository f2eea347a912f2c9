"""Fills an empty database with conversations as they would stand there after a year of traffic.

Messages lie in the table in the order of time, those of one conversation far apart, as in real use.
"""

import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection, models, transaction
from uuid_utils import uuid7

from bench.texts import Dialogue, dialogues
from chatplatform.text import fold
from clients import actions
from clients.models import Agent, Client, User
from conversations.models import Conversation, Participant, SessionHistory, StateChange
from conversations.sessions import SILENCE, minutes_between
from messaging.models import Message
from messaging.search.text import stems
from messaging.text import PREVIEW

VERSION = 2  # of the data; counted up when what is filled in changes
TENANTS = ("Bench North", "Bench South")
SIZE_MU, SIZE_SIGMA = 3.296, 1.118  # messages of a conversation, log-normal: p50 27, p99 364
YEAR = 365 * 86400
STAMP = datetime.fromtimestamp


class NotOurs(Exception):
    """The database holds what the benchmark has not put there."""


@dataclass(slots=True)
class Plan:
    """One conversation and its figures as they grow message by message."""

    pk: int
    client_id: int
    owner: User
    agent: Agent
    title: str
    first_line: int
    size: int
    owner_read: int
    staff_read: int
    resolved: bool
    seq: int = 0
    created: datetime | None = None
    last: datetime | None = None
    text: str = ""
    owner_unread: int = 0
    staff_unread: int = 0
    waiting: datetime | None = None
    session: list[Any] | None = None  # start, end, count


def filled() -> int | None:
    """How many messages the benchmark has put here; None where nothing is yet. Raises NotOurs."""
    names = list(Client.objects.order_by("id").values_list("name", flat=True))
    if not names:
        return None
    if not set(names) <= set(TENANTS):
        raise NotOurs(f"the database holds other clients ({names[0]!r}); name another in DATABASE_URL")
    marker = Client.objects.filter(name=TENANTS[0]).values_list("settings", flat=True).get().get("bench") or {}
    if marker.get("version") != VERSION:
        raise NotOurs("the database was filled by another version of the benchmark; drop it")
    return int(marker["messages"])


def fill(messages: int, *, seed: int = 7) -> str:
    """Fills an empty database, all or nothing; answers what it has done in words."""
    started = time.monotonic()
    found, source = dialogues()
    conversations = max(messages // 50, 2)
    users = max(conversations // 20, 2)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        rng = random.Random(seed)
        owners, agents = _people(users)
        plans = _plans(rng, found, conversations, messages, owners, agents)
        sessions: list[list[Any]] = []
        _write(MESSAGE, _messages(rng, found, plans, sessions))
        _write(SESSION, _sessions(sessions))
        _write(CONVERSATION, (_conversation(plan) for plan in plans))
        _write(PARTICIPANT, _participants(plans))
        _write(STATE, _states(plans))
        _after_explicit_ids(Conversation)
        marker = {"bench": {"version": VERSION, "messages": messages}}
        Client.objects.filter(name=TENANTS[0]).update(settings=marker)
    if connection.vendor == "postgresql":
        _vacuum()
    took = time.monotonic() - started
    return f"{messages:,} messages, {conversations:,} conversations, {users:,} users in {took:.0f} s; texts: {source}"


def _people(count: int) -> tuple[list[User], dict[int, list[Agent]]]:
    agents, users = {}, []
    for index, name in enumerate(TENANTS):
        client = actions.create_tenant(name=name, users=0).client
        agents[client.pk] = list(Agent.objects.filter(client=client).exclude(kind=Agent.Kind.SYSTEM))
        for number in range(index, count, len(TENANTS)):
            email = f"customer{number}@bench.example.com"
            users.append(User(client=client, username=email, email=email, name=f"Customer {number}", password="!"))
    return User.objects.bulk_create(users), agents


def _plans(
    rng: random.Random, found: list[Dialogue], count: int, messages: int, owners: list[User],
    agents: dict[int, list[Agent]],
) -> list[Plan]:  # fmt: skip
    sizes = [max(1, round(rng.lognormvariate(SIZE_MU, SIZE_SIGMA))) for _ in range(count)]
    scale = messages / sum(sizes)
    sizes = [max(1, round(size * scale)) for size in sizes]
    while difference := messages - sum(sizes):  # a handful, lost in rounding
        for index in rng.sample(range(count), min(abs(difference), count)):
            sizes[index] = max(1, sizes[index] + (1 if difference > 0 else -1))
    starts, offset = [], 0
    for dialogue in found:
        starts.append(offset)
        offset += len(dialogue.lines)
    plans = []
    for pk, size in enumerate(sizes, start=1):
        owner, topic = rng.choice(owners), rng.randrange(len(found))
        plans.append(Plan(
            pk, owner.client_id, owner, rng.choice(agents[owner.client_id]), found[topic].subject[:255], starts[topic],
            size, max(0, size - rng.randrange(4)), max(0, size - rng.randrange(4)), rng.random() < 0.2,
        ))  # fmt: skip
    return plans


def _times(rng: random.Random, plans: list[Plan]) -> list[tuple[float, int]]:
    """(seconds, index of the conversation) of every message in the order of time."""
    now = time.time()
    moments = []
    for index, plan in enumerate(plans):
        at = now - 60 - rng.random() * YEAR
        for _ in range(plan.size):
            moments.append((at, index))
            # Mostly minutes; now and then hours or days, which begin another session.
            at -= rng.uniform(5, 300) if rng.random() > 0.08 else rng.uniform(1800, 2 * 86400)
    moments.sort()
    return moments


def _messages(
    rng: random.Random, found: list[Dialogue], plans: list[Plan], sessions: list[list[Any]]
) -> Iterator[tuple[Any, ...]]:
    lines = [line for dialogue in found for line in dialogue.lines]
    count, new_uuid, silence, stems_of = len(lines), _uuid, SILENCE, cache(_stems)
    for seconds, index in _times(rng, plans):
        plan = plans[index]
        at = STAMP(seconds, UTC)
        by_customer, text = lines[(plan.first_line + plan.seq) % count]
        plan.seq += 1
        if plan.last is None:
            plan.created = at
        if plan.session is None or at - plan.last >= silence:
            plan.session = [plan.pk, at, at, 0]
            sessions.append(plan.session)
        plan.session[2] = at
        plan.session[3] += 1
        plan.last, plan.text = at, text
        if by_customer:
            read = plan.seq <= plan.staff_read
            plan.staff_unread += not read
            plan.waiting = plan.waiting or at
            sender, user, agent = plan.owner, plan.owner.pk, None
        else:
            read = plan.seq <= plan.owner_read
            plan.owner_unread += not read
            plan.waiting = None
            sender, user, agent = plan.agent, None, plan.agent.pk
        yield (
            new_uuid(), plan.client_id, plan.pk, plan.seq, text, stems_of(text), "read" if read else "sent", user,
            agent, sender.name, by_customer, at, at,
        )  # fmt: skip


def _stems(text: str) -> Any:
    """As the column of search has them; the tenants' language is English."""
    return Message._meta.get_field("search").get_db_prep_save(stems(text, "en"), connection)


def _conversation(plan: Plan) -> tuple[Any, ...]:
    return (
        plan.pk, _uuid(), plan.client_id, plan.title, fold(plan.title), "website", plan.owner.pk, plan.agent.pk,
        "resolved" if plan.resolved else "active", plan.last if plan.resolved else None,
        plan.seq, plan.seq, 2, plan.last, plan.seq, plan.text[:PREVIEW], plan.last,
        plan.owner_read, plan.owner_unread, plan.staff_read, plan.staff_unread, plan.waiting,
        plan.session[1] if plan.session else None, plan.created, plan.last,
    )  # fmt: skip


def _participants(plans: list[Plan]) -> Iterator[tuple[Any, ...]]:
    for plan in plans:
        common = (plan.created, plan.last, plan.last)
        yield (_uuid(), plan.pk, plan.owner.pk, None, "customer", True, plan.owner_read, plan.owner_unread, *common)
        yield (_uuid(), plan.pk, None, plan.agent.pk, "agent", False, 0, 0, *common)


def _sessions(sessions: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    for pk, start, end, count in sessions:
        yield (pk, start, end, count, minutes_between(start, end), start)


def _states(plans: list[Plan]) -> Iterator[tuple[Any, ...]]:
    return ((plan.pk, "active", "resolved", plan.agent.name, plan.last) for plan in plans if plan.resolved)


class Table:
    """How the rows of a model are written: `names` vary, every other column has the model's default."""

    def __init__(self, model: type[models.Model], names: str) -> None:
        self.model, self.names = model, names.split()

    def columns(self) -> tuple[list[str], tuple[Any, ...]]:
        varying = [self.model._meta.get_field(name) for name in self.names]
        rest = [f for f in self.model._meta.concrete_fields if f not in varying and not f.primary_key]
        defaults = tuple(field.get_db_prep_save(field.get_default(), connection) for field in rest)
        return [field.column for field in (*varying, *rest)], defaults


MESSAGE = Table(
    Message,
    "uuid client conversation seq text search status sender_user sender_agent sender_name is_customer created_at"
    " updated_at",
)
CONVERSATION = Table(
    Conversation,
    "id uuid client title title_folded channel owner assigned_agent status status_changed_at last_seq message_count"
    " participant_count last_message_at last_message_seq last_message_text activity_at owner_read_seq owner_unread"
    " staff_read_seq staff_unread waiting_since session_started_at created_at updated_at",
)
PARTICIPANT = Table(
    Participant,
    "uuid conversation user agent role can_manage last_read_seq unread_count joined_at activity_at updated_at",
)
SESSION = Table(SessionHistory, "conversation session_start session_end messages_count duration_minutes created_at")
STATE = Table(StateChange, "conversation old new by_name created_at")


def _write(table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    columns, defaults = table.columns()
    name = connection.ops.quote_name(table.model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row + defaults)
        else:
            places = ", ".join("?" * len(columns))
            cursor.connection.executemany(  # sqlite3's own: Django's would make lists of it
                f"INSERT INTO {name} ({names}) VALUES ({places})", (_for_sqlite(row + defaults) for row in rows)
            )


def _uuid() -> str:
    value = uuid7()
    return str(value) if connection.vendor == "postgresql" else value.hex


def _for_sqlite(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value for value in row)


def _after_explicit_ids(model: type[models.Model]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'),"
                f" (SELECT max(id) FROM {model._meta.db_table}))"
            )


def _vacuum() -> None:
    """Statistics, and a visibility map, as a database that has run for a while has them."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")
