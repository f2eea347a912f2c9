"""Users, contacts and agents with the client's own ids: what the actions take, refuse and leave as it was."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from chatplatform.errors import Conflict, Forbidden, Invalid
from chatplatform.tests.store import everything, superuser
from clients import actions, credentials
from clients.callers import caller_of_token, caller_of_user, system_caller
from clients.models import Agent, Contact, User


def refused(kind, call):
    """The fields that a refusal names; nothing is written."""
    before = everything()
    with pytest.raises(kind) as caught:
        call()
    assert everything() == before
    return dict(caught.value.fields)


@pytest.fixture
def by(acme):
    return caller_of_token(acme.api_token.token)


# --- contacts ---


def test_a_contact_under_the_clients_own_id(acme, rival):
    given = {"contact_id": "contact_123", "name": "Juan Pérez", "phone": "5491112345678", "email": "Juan@Example.com"}
    row = actions.create_contact(client=acme.client, **given, metadata={"plan": "gold"})
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in given} == given
    assert row.metadata == {"plan": "gold"}
    assert actions.create_contact(client=rival.client, **given).pk != row.pk
    assert actions.create_contact(client=acme.client, name="B").contact_id.startswith("contact_")
    assert refused(Conflict, lambda: actions.create_contact(client=acme.client, **given)) == {
        "contact_id": ["Somebody has this already."]
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("contact_id", "a/b"), ("contact_id", "."), ("contact_id", ".."), ("contact_id", " "), ("contact_id", "a\nb"),
        ("contact_id", "x" * 65), ("contact_id", "a\0b"), ("name", "x" * 256), ("name", "a\0"), ("name", "\ud800"),
        ("phone", "+34600"), ("phone", "0123"), ("phone", "1" * 16), ("phone", "١٢٣"), ("email", "no address"),
        ("email", "\u017fam@example.com"), ("email", f"a@{'x' * 250}.com"), ("metadata", {"a": "x" * 17000}),
        ("metadata", {"a": [[[[[1]]]]]}),
    ],
)  # fmt: skip
def test_what_is_no_contact(acme, column, value):
    """Longest values: ids 64, names 255, metadata 16 KiB and 5 levels"""
    given: dict[str, Any] = {"name": "Juan", column: value}
    assert list(refused(Invalid, lambda: actions.create_contact(client=acme.client, **given))) == [column]
    if column != "contact_id":
        row = acme.contacts[0]
        assert list(refused(Invalid, lambda: actions.update_contact(contact=row, **{column: value}))) == [column]


def test_what_fits_exactly(acme):
    row = actions.create_contact(client=acme.client, contact_id="é" * 64, name="n" * 255, phone="1" * 15)
    row.refresh_from_db()
    assert (len(row.contact_id), len(row.name), len(row.phone)) == (64, 255, 15)


def test_changes_of_a_contact(acme):
    row = actions.create_contact(client=acme.client, name="Ana", metadata={"a": 1, "b": 2})
    changed = actions.update_contact(contact=row, name="ÁNA María", phone="34600", metadata={"b": None, "c": 3})
    stored = Contact.objects.get(pk=row.pk)
    assert (stored.name, stored.phone, stored.metadata) == ("ÁNA María", "34600", {"a": 1, "c": 3})
    assert stored.updated_at == changed.updated_at > row.updated_at
    assert list(Contact.objects.for_client(acme.client.pk).matching("ana mari")) == [stored]
    assert list(Contact.objects.for_client(acme.client.pk).matching("3460")) == [stored]
    before = everything()
    with CaptureQueriesContext(connection) as captured:
        actions.update_contact(contact=row, name="ÁNA María", metadata={"a": 1, "z": None})
    assert everything() == before
    assert not [query for query in captured if query["sql"].startswith("UPDATE")]


def test_an_address_is_found_whatever_its_case(acme):
    row = actions.create_contact(client=acme.client, email="Ana.Ruiz@BÜRO.example")
    assert row.email == "Ana.Ruiz@büro.example"
    rows = Contact.objects.for_client(acme.client.pk)
    assert list(rows.with_email("ANA.RUIZ@Büro.EXAMPLE")) == [row]
    assert not rows.with_email("").exists()


# --- agents ---


def test_agents(acme):
    ana = actions.create_agent(client=acme.client, agent_id="agent_456", name="Ana", queues=["billing", "vip", "vip"])
    ana.refresh_from_db()
    assert (ana.kind, ana.queues, ana.provider) == ("human", ["billing", "vip"], "")
    bot = actions.create_agent(client=acme.client, name="Bot", kind=Agent.Kind.AI)
    assert (bot.provider, bot.agent_id[:6]) == ("knowledge", "agent_")
    changed = actions.update_agent(agent=ana, name="Ana Ruiz", kind="ai", queues=["sales"])
    changed.refresh_from_db()
    assert (changed.name, changed.kind, changed.provider, changed.queues) == ("Ana Ruiz", "ai", "knowledge", ["sales"])
    default = acme.agents[1]
    assert default.is_default
    person = actions.update_agent(agent=default, kind="human")
    person.refresh_from_db()
    assert (person.kind, person.provider, person.is_default) == ("human", "", False)


def test_what_is_no_agent(acme):
    make = actions.create_agent
    taken = refused(Conflict, lambda: make(client=acme.client, agent_id="system", name="Me"))
    assert taken == {"agent_id": ["Somebody has this already."]}
    for column, value in [
        ("agent_id", "a/b"), ("name", " "), ("name", "x" * 256), ("kind", "robot"), ("queues", ["q" * 51]),
        ("queues", [""]), ("queues", ["a\0"]),
    ]:  # fmt: skip
        given = {"name": "Ana", column: value}
        assert list(refused(Invalid, lambda: make(client=acme.client, **given))) == [column]  # noqa: B023
        if column != "agent_id":
            change = {column: value}
            wrong = refused(Invalid, lambda: actions.update_agent(agent=acme.agents[0], **change))  # noqa: B023
            assert list(wrong) == [column]
    assert "kind" in refused(Invalid, lambda: actions.update_agent(agent=acme.agents[0], kind="ai"))  # it logs in


def test_nobody_takes_the_agent_of_staff_who_are_to_answer(acme):
    """Neither by an id made before nor by a change of the agent; what staff write is shown under their own agent."""
    staff = actions.create_user(client=acme.client, name="Ana", email="ana@example.com", role="supervisor").user
    caller = caller_of_user(staff, None)
    squatted = actions.create_agent(client=acme.client, agent_id=f"user_{staff.pk}", name="Mallory", kind="ai")
    agent = actions.agent_of_staff(caller, client_id=acme.client.pk)
    assert agent.pk != squatted.pk
    assert (agent.user, agent.client, agent.name, agent.kind) == (staff, acme.client, "Ana", "human")
    assert agent.agent_id.startswith("agent_")
    before = everything()
    assert actions.agent_of_staff(caller, client_id=acme.client.pk) == agent
    assert everything() == before
    Agent.objects.filter(pk=agent.pk).update(agent_id=f"former_{staff.pk}")  # the id is no link
    assert actions.agent_of_staff(caller, client_id=acme.client.pk) == agent


def test_the_agents_of_a_superuser(acme, rival):
    """One in each client, none of them linked, under ids that tell nobody the next; always human."""
    root = superuser()
    caller = caller_of_user(root, None)
    ours, theirs = (actions.agent_of_staff(caller, client_id=tenant.client.pk) for tenant in (acme, rival))
    assert (ours.client, theirs.client) == (acme.client, rival.client)
    assert [(row.user, row.name, row.kind) for row in (ours, theirs)] == [(None, root.name, "human")] * 2
    assert ours.agent_id != theirs.agent_id
    for row in (ours, theirs):
        assert not any(word in row.agent_id for word in (root.uuid.hex, str(root.uuid)))
        assert not row.agent_id.endswith(f"_{root.pk}")
    before = everything()
    assert actions.agent_of_staff(caller, client_id=acme.client.pk) == ours
    assert everything() == before
    actions.update_agent(agent=ours, kind="ai")
    again = actions.agent_of_staff(caller, client_id=acme.client.pk)
    assert (again.pk, again.kind, again.provider) == (ours.pk, "human", "")
    another = User.objects.create_superuser("root2", "root2@example.com", "a long password")
    assert actions.agent_of_staff(caller_of_user(another, None), client_id=acme.client.pk) != ours


# --- users ---


def test_a_user_without_a_password_cannot_log_in(acme, api):
    new = actions.create_user(
        client=acme.client, name="Zoe", email="Zoe@example.com", external_id="u-1", sets_password_by_mail=True
    )
    assert new.password == ""
    user = User.objects.get(pk=new.user.pk)
    assert (user.email, user.username, user.external_id, user.is_staff) == (
        "Zoe@example.com", "Zoe@example.com", "u-1", False,
    )  # fmt: skip
    assert not user.has_usable_password()
    assert api().post("/api/auth/token", {"email": "zoe@example.com", "password": user.password}).status_code == 401


def test_addresses_are_unique_across_the_installation(acme, rival):
    """E-mail addresses are unique across the installation, whatever their case; external ids in the client."""
    taken = rival.users[0].user.email.upper()
    assert refused(Conflict, lambda: actions.create_user(client=acme.client, name="Zoe", email=taken)) == {
        "email": ["Somebody has this already."]
    }
    root = User.objects.create_superuser("root@example.com", "", "a long password")
    given = {"client": acme.client, "name": "Zoe", "email": root.username}
    assert list(refused(Conflict, lambda: actions.create_user(**given))) == ["email"]
    first = actions.create_user(client=acme.client, name="Zoe", email="zoe@example.com", external_id="u-1").user
    assert actions.create_user(client=rival.client, name="Zoe", email="zoe@example.org", external_id="u-1").user
    again = {"client": acme.client, "name": "Zoe", "email": "ZOE@example.com", "external_id": "u-1"}
    assert list(refused(Conflict, lambda: actions.create_user(**again))) == ["email", "external_id"]
    system = system_caller(acme.client)
    change = {"email": acme.users[0].user.email.title()}
    assert list(refused(Conflict, lambda: actions.update_user(user=first, by=system, **change))) == ["email"]


def test_what_is_no_user(acme, by):
    for column, value in [
        ("email", ""), ("email", "nobody"), ("name", ""), ("name", "x" * 256), ("external_id", "a/b"),
        ("password", "short"), ("password", "password123"), ("password", "zoe@example.com"), ("password", "x" * 1025),
        ("password", "zoe martinez"), ("password", "a long \0 one"), ("password", "a long \ud800 one"),
    ]:  # fmt: skip
        given = {"name": "Zoe Martinez", "email": "zoe@example.com", column: value}
        wrong = refused(Invalid, lambda: actions.create_user(client=acme.client, **given))  # noqa: B023
        assert list(wrong) == [column], value
    user = acme.users[0].user
    assert list(refused(Invalid, lambda: actions.update_user(user=user, by=by, email="", name="x"))) == ["email"]
    assert list(refused(Invalid, lambda: actions.update_user(user=user, by=by, password="1234567890"))) == ["password"]


def test_changes_of_a_user(acme, api, by):
    maya = acme.users[0]
    access = credentials.issue_tokens(maya.user).access
    actions.update_user(user=maya.user, by=by, name="Maya B.", email="maya.b@example.com", external_id="u-7")
    user = User.objects.get(pk=maya.user.pk)
    assert (user.name, user.email, user.username, user.external_id) == (
        "Maya B.", "maya.b@example.com", "maya.b@example.com", "u-7",
    )  # fmt: skip
    assert api().get("/api/auth/me", Authorization=f"Bearer {access}").json()["name"] == "Maya B."
    actions.update_user(user=maya.user, by=by, external_id=None)
    assert User.objects.get(pk=user.pk).external_id is None
    before = everything()
    actions.update_user(user=maya.user, by=by, name="Maya B.", is_active=True)
    assert everything() == before


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "quite another one"}])
def test_what_ends_a_log_in_ends_its_tokens(acme, api, by, change):
    maya = acme.users[0].user
    pair = credentials.issue_tokens(maya)
    actions.update_user(user=maya, by=by, **change)
    credentials.known.clear()
    assert api().get("/api/auth/me", Authorization=f"Bearer {pair.access}").status_code == 401
    assert api().post("/api/auth/token/refresh", {"refresh": pair.refresh}).status_code == 401
    actions.update_user(user=maya, by=by, is_active=True)
    assert api().get("/api/auth/me", Authorization=f"Bearer {pair.access}").status_code == 401
    assert api().post("/api/auth/token/refresh", {"refresh": pair.refresh}).status_code == 401


def test_a_token_does_not_change_how_staff_log_in(acme, by):
    """Else whoever holds one could make a member of staff of themselves."""
    staff = acme.staff.user
    for change in ({"email": "thief@example.com"}, {"password": "quite another one"}, {"is_active": False}):
        refused(Forbidden, lambda: actions.update_user(user=staff, by=by, **change))  # noqa: B023
    actions.update_user(user=staff, by=by, external_id="boss")
    assert User.objects.get(pk=staff.pk).external_id == "boss"


# --- at the same moment ---


@pytest.mark.django_db(transaction=True)
def test_of_many_that_take_one_id_one_gets_it():
    client = actions.create_client(name="Acme")
    makers = {
        "contact": lambda: actions.create_contact(client=client, contact_id="c1", name="A"),
        "agent": lambda: actions.create_agent(client=client, agent_id="a1", name="A"),
        "user": lambda: actions.create_user(client=client, name="A", email="a@example.com", external_id="u1"),
    }
    for what, make in makers.items():
        outcomes: list[str] = []
        start = threading.Barrier(4)

        def run(make=make, outcomes=outcomes, start=start):
            start.wait()
            try:
                make()
                outcomes.append("made")
            except Conflict:
                outcomes.append("conflict")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["conflict", "conflict", "conflict", "made"], what
