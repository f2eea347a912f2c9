"""Clients, and all that a first caller of one needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from chatplatform.errors import Conflict

from .. import tokens
from ..models import Agent, Client, Contact, PlatformKey
from ..roles import Role
from .agents import create_agent
from .contacts import create_contact
from .credentials import NewApiToken, create_api_token, create_platform_key
from .users import NewUser, Person, create_users

#: What other apps give to each new client, within the transaction that makes it (their `apps.py` add it).
for_new_clients: list[Callable[[Client], None]] = []


@transaction.atomic
def create_client(*, name: str, session_id: str | None = None) -> Client:
    """A tenant with its own voice (the agent `system`). Raises Conflict where the name is taken."""
    known = Client.objects.filter(name=name).first()
    if known is not None:
        raise Conflict(f"A client named {known.name!r} exists already (id {known.uuid})")
    if session_id and Client.objects.filter(session_id=session_id).exists():
        raise Conflict("This session id belongs to another client")
    try:
        with transaction.atomic():
            client = Client.objects.create(name=name, session_id=session_id or tokens.new_session_id())
    except IntegrityError as error:  # made by another at this moment
        raise Conflict(f"A client named {name!r} or with this session id exists already") from error
    Agent.objects.create(client=client, agent_id="system", name=name, kind=Agent.Kind.SYSTEM)
    for give in for_new_clients:
        give(client)
    return client


def rotate_session_id(client: Client) -> str:
    """A new session id; the old one is unknown at once."""
    session_id = tokens.new_session_id()
    Client.objects.filter(pk=client.pk).update(session_id=session_id)
    return session_id


@transaction.atomic
def update_client(client: Client, **columns: Any) -> None:
    """Writes columns of its page. Its own voice is called like it; a new time zone is held to at once."""
    Client.objects.filter(pk=client.pk).update(**columns)
    if "name" in columns:
        Agent.objects.filter(client=client, kind=Agent.Kind.SYSTEM).update(name=columns["name"])
    if "time_zone" in columns:
        rules_changed(client.pk)


@transaction.atomic
def change_settings(client_id: int, **settings: Any) -> dict[str, Any]:
    """Replaces these of the client's settings, None takes one out. Answers all of them."""
    client = Client.objects.select_for_update(no_key=True).get(pk=client_id)
    client.settings = {name: value for name, value in {**client.settings, **settings}.items() if value is not None}
    client.save(update_fields=["settings"])
    rules_changed(client_id)
    return client.settings


def rules_changed(client_id: int) -> None:
    """Within the transaction of a change of anything that acts on messages: the next message is judged by it."""
    Client.objects.filter(pk=client_id).update(rules_version=F("rules_version") + 1)


@dataclass(frozen=True)
class NewTenant:
    """Everything that a first caller needs; the passwords and the token are shown this once."""

    client: Client
    staff: NewUser
    users: list[NewUser]
    agents: list[Agent]
    contacts: list[Contact]
    api_token: NewApiToken
    public_key: PlatformKey


@transaction.atomic
def create_tenant(*, name: str, users: int = 2, session_id: str | None = None) -> NewTenant:
    """A client with staff, end users, agents, a contact, a token and a key (contract `accounts.md`)."""
    client = create_client(name=name, session_id=session_id)
    domain = f"{client.uuid.hex[-12:]}.example.com"
    staff, *people = create_users(
        client=client,
        people=[
            Person(name=f"{name} Admin"[:255], email=f"staff@{domain}", role=Role.CLIENT_ADMIN),
            *(Person(name=f"User {n}", email=f"user{n}@{domain}") for n in range(1, users + 1)),
        ],
    )
    agents = [
        create_agent(client=client, agent_id="agent_1", name=staff.user.name, user=staff.user),
        create_agent(
            client=client, agent_id="assistant", name="Assistant", kind=Agent.Kind.AI,
            provider=Agent.Provider.KNOWLEDGE, is_default=True,
        ),
    ]  # fmt: skip
    contact = create_contact(client=client, name="First contact", phone="12025550123", contact_id="contact_1")
    token = create_api_token(client=client, name="First token")
    return NewTenant(
        client, staff, people, agents, [contact], token, create_platform_key(client=client, name="First key")
    )
