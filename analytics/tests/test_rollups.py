"""Rollups against plain Python over the rows (`oracle.py`), after histories that nobody has thought of."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.dashboards import overall, own
from analytics.folding import catch_up, fold, order_rebuild
from analytics.models import Figure, Mark, Position, Scope, Share
from analytics.reading import read
from analytics.verifying import verify
from clients.actions import change_settings, update_client
from clients.callers import Caller, system_caller
from clients.models import Agent
from conversations.actions import (
    Person,
    assign_agent,
    change_status,
    create_conversation,
    delete_conversation,
    remove_participant,
)
from conversations.models import Conversation, Event
from conversations.states import ALLOWED
from messaging import spam
from messaging.actions import add_note, delete_message, release_message, send_message
from messaging.erasure import erase_contact
from messaging.importing import Import
from messaging.models import Message
from messaging.retention.removal import remove
from messaging.senders import as_agent, as_contact, as_user

from .oracle import Oracle

START = datetime(2026, 10, 23, 21, tzinfo=UTC)  # clocks change in Berlin on the 25th
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]
_SUMS = ("conversations", "messages", "customer_messages", "responses", "response_us", "first_responses",
         "first_response_us", "resolutions", "resolution_us")  # fmt: skip


class World:
    """Of one client: whatever is drawn is done to it, as far as it can be."""

    def __init__(self, tenant: Any, clock: Any) -> None:
        self.tenant, self.client, self.clock = tenant, tenant.client, clock
        self.by = system_caller(tenant.client)
        self.users = [tenant.users[0].user, tenant.users[1].user, tenant.staff.user]
        self.agents = [*tenant.agents, Agent.objects.get(client=tenant.client, kind="system")]
        self.imported = 0

    def rows(self) -> list[Conversation]:
        return list(Conversation.objects.alive().for_client(self.client.pk).order_by("pk"))

    def pick(self, number: int, rows: Any) -> Any:
        return rows[number % len(rows)] if rows else None

    def do(self, what: str, one: int, two: int, minutes: int) -> None:
        self.clock.shift(timedelta(minutes=minutes))
        row = self.pick(one, self.rows())
        if what in ("begin", "bring", "fold", "batch", "zone", "rebuild"):
            getattr(self, what)(one, two)
        elif row is not None and (row.status != "closed" or what in ("delete", "expire", "unsay")):
            getattr(self, what)(row, two)

    # --- what can happen ---

    def begin(self, one: int, two: int) -> None:
        owner = self.pick(one, [*self.users, None])
        people = [] if owner is None else [Person(user_id=owner.pk)]
        people.append(Person(contact_id=self.tenant.contacts[0].pk))
        agent = self.pick(two, [None, *self.agents[:2]])
        create_conversation(
            client_id=self.client.pk, by=self.by, channel=["website", "fax"][two % 2], people=people, owner=owner,
            assigned_agent=agent,
        )  # fmt: skip

    def say(self, row: Conversation, two: int) -> None:
        user = self.users[two % 3]
        mine = Caller(client_id=self.client.pk, user_id=user.pk, name=user.name, role=user.role)
        sender = self.pick(
            two,
            [as_user(mine), as_contact(self.tenant.contacts[0]), *map(as_agent, self.agents)],
        )
        # Anti-spam holds what a customer says of a casino.
        send_message(conversation=row, sender=sender, by=self.by, text="A casino" if two % 7 == 0 else "Good day")

    def note(self, row: Conversation, two: int) -> None:
        add_note(conversation=row, sender=as_agent(self.agents[0]), text="Staff only")

    def unsay(self, row: Conversation, two: int) -> None:
        message = self.pick(two, list(Message.objects.of(row.pk).filter(deleted_at=None).order_by("seq")))
        if message is not None:
            delete_message(conversation=row, message_id=message.pk, by=self.by)

    def release(self, row: Conversation, two: int) -> None:
        message = Message.objects.of(row.pk).held().first()
        if message is not None:
            release_message(conversation=row, message_id=message.pk, by=self.by)

    def turn(self, row: Conversation, two: int) -> None:
        change_status(conversation=row, status=self.pick(two, sorted(ALLOWED[row.status])), by=self.by)

    def assign(self, row: Conversation, two: int) -> None:
        assign_agent(conversation=row, agent=self.pick(two, [None, *self.agents[:2]]), by=self.by)

    def leave(self, row: Conversation, two: int) -> None:
        person = self.pick(two, list(row.participants.filter(removed_at=None).order_by("pk")))
        if person is not None:
            remove_participant(conversation=row, participant_id=person.pk, by=self.by)

    def delete(self, row: Conversation, two: int) -> None:
        delete_conversation(conversation=row, by=self.by)

    def expire(self, row: Conversation, two: int) -> None:
        """What retention does, a few rows at a time."""
        remove(Conversation.objects.filter(pk=row.pk).order_by("pk"), 3 + two)

    def erase(self, row: Conversation, two: int) -> None:
        person = row.participants.filter(contact__source__startswith="import", contact__erased_at=None).first()
        if person is not None:
            erase_contact(contact=person.contact)

    def bring(self, one: int, two: int) -> None:
        """An old dialogue, its lines in any order of time."""
        self.imported += 1
        sides = ["customer", "agent", "system", "agent", "customer"]
        said = [
            {
                "sender": sides[(one + n) % 5],
                "text": "…",
                "at": (START - timedelta(minutes=(one * 37 + n * two * 53) % 9000)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for n in range(1 + two % 6)
        ]
        line = {
            "external_id": f"old-{self.imported}", "channel": "Jane Roe", "subject": "Old", "messages": said,
            "customer": {"name": "Jane Roe"}, "agent": {"name": f"Agent {two % 3}"},
            "outcome": [None, "resolved", "abandoned"][one % 3],
        }  # fmt: skip
        run = Import(self.client, lambda *bad: pytest.fail(str(bad)))
        run.add(1, json.dumps(line).encode())
        run.flush()
        assert run.stored.conversations == 1

    def fold(self, one: int, two: int) -> None:
        assert catch_up()

    def batch(self, one: int, two: int) -> None:
        fold()

    def zone(self, one: int, two: int) -> None:
        update_client(self.client, time_zone=ZONES[two % len(ZONES)])

    def rebuild(self, one: int, two: int) -> None:
        order_rebuild(self.client.pk)

    # --- what must be so ---

    def check(self) -> None:
        oracle = Oracle(self.client, timezone.now())
        for user in self.users:
            for days in (1, 2, 30):
                assert own(user_id=user.pk, client_id=self.client.pk, days=days) == oracle.own(user.pk, days)
        assert overall(client_id=self.client.pk) == oracle.overall()
        assert self.sums() == oracle.sums()

    def sums(self) -> dict[tuple[str, Any], Counter[str]]:
        since = START.date() - timedelta(days=30)
        found = read(
            self.client.pk,
            lambda view: {
                "channel": view.sums(Scope.CHANNEL, _SUMS, ["name"], since=since),
                "hour": view.sums(Scope.HOUR, ["messages"], ["subject"], since=since),
                "status": view.sums(Scope.STATUS, ["conversations"], ["name"]),
            },
        )
        return {
            (scope, key): counts
            for scope, sums in found.items()
            for (key,), values in sums.items()
            if (counts := Counter({name: value for name, value in values.items() if value}))
        }


DOINGS = ["begin", "say", "note", "unsay", "release", "turn", "assign", "leave", "delete", "expire", "erase", "bring",
          "fold", "batch", "zone", "rebuild"]  # fmt: skip
_steps = st.lists(
    st.tuples(
        st.sampled_from([*DOINGS, "begin", "say", "say", "say", "say", "say", "say", "bring"]),
        st.integers(0, 11), st.integers(0, 20), st.sampled_from([0, 1, 7, 29, 30, 31, 200, 1500]),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(acme: Any, clock: Any) -> World:
    wanted = {"enabled": True, "actions": ["quarantine"], "blacklist_keywords": ["casino"]}
    change_settings(acme.client.pk, antispam=spam.checked(wanted))
    return World(acme, clock)


@given(steps=_steps)
@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_any_history(world: World, steps: Any) -> None:
    """Dashboards agree with the oracle while some is folded in and some is not, and once all is."""
    world.clock.move_to(START)
    with transaction.atomic():
        for step in steps:
            world.do(*step)
        world.check()
        assert catch_up()
        assert Mark.objects.count() == 0
        world.check()
        assert list(verify(world.client)) == []
        transaction.set_rollback(True)


def history(world: World) -> None:
    for number, what in enumerate(["begin", "say", "bring", "say", "say", "turn", "begin", "say", "bring"]):
        world.do(what, number, number + 1, 10)


def test_folding_again_changes_nothing(world: World) -> None:
    history(world)
    assert catch_up()
    figures, shares = list(Figure.objects.order_by("pk").values()), list(Share.objects.order_by("pk").values())
    assert figures
    Position.objects.update(event_id=0)
    assert catch_up()
    assert list(Figure.objects.order_by("pk").values()) == figures
    assert list(Share.objects.order_by("pk").values()) == shares


def test_an_erased_name_leaves_the_figures(world: World) -> None:
    """A channel that was called like the person."""
    world.bring(1, 4)
    assert catch_up()
    assert Figure.objects.filter(name="Jane Roe").exists()
    world.erase(Conversation.objects.get(external_id="old-1"), 0)
    assert catch_up()
    assert not Figure.objects.filter(name="Jane Roe").exists()
    assert "Jane Roe" not in str(list(Share.objects.values_list("added", flat=True)))
    world.check()


@pytest.mark.django_db(transaction=True)
def test_what_is_folded_in_is_not_looked_at_again(world: World) -> None:
    history(world)
    assert catch_up()
    newest = Event.objects.latest("pk").pk
    assert Position.objects.get().event_id == newest
    batch = fold()
    assert (batch.conversations, batch.more) == (0, False)


def told(*arguments: str) -> list[str]:
    out = StringIO()
    try:
        call_command("rebuild_analytics", *arguments, stdout=out)
    except CommandError as error:
        out.write(f"exit code {error.returncode}\n")
    return out.getvalue().splitlines()


def test_the_command_finds_and_mends_what_is_wrong(world: World, rival: Any) -> None:
    history(world)
    assert told("--verify")[-1].startswith("0 differences")
    Figure.objects.filter(scope="client", name="").exclude(messages=0).update(messages=99)
    Share.objects.filter(pk=world.rows()[0].pk).update(added=[])
    Message.objects.filter(seq=1).update(created_at=START - timedelta(days=3))  # past the application
    assert told("--verify", "--client", "Acme")[-1] == "exit code 1"
    assert told("--verify", "--client", "Rival")[-1].startswith("0 differences")
    assert told()[-1].startswith("4 conversations counted")
    assert [line.startswith("0 differences") for line in told("--verify")] == [True]
