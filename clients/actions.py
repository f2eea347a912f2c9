"""Writes of people and credentials."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from chatplatform.errors import Conflict, Forbidden

from . import tokens
from .callers import Caller
from .models import Agent, ApiToken, Client, Contact, PlatformKey, User, new_uuid
from .roles import Role


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
    return client


@dataclass(frozen=True)
class NewUser:
    user: User
    password: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is to become a user; without a password they get a random one."""

    name: str
    email: str
    role: str = ""
    password: str | None = None
    external_id: str | None = None


@transaction.atomic
def create_users(*, client: Client, people: Iterable[Person]) -> list[NewUser]:
    """Users of a client, with the passwords answered this once. Hashing, the slow part, runs on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda person: _new_user(client, person), people))
    for new in made:
        new.user.save()
    return made


def create_user(*, client: Client, **person: Any) -> NewUser:
    """One user, by the fields of `Person`."""
    return create_users(client=client, people=[Person(**person)])[0]


def _new_user(client: Client, person: Person) -> NewUser:
    user = User(
        client=client,
        username=person.email,
        name=person.name,
        email=person.email,
        role=person.role,
        is_staff=person.role in Role.staff(),
        external_id=person.external_id,
    )
    password = person.password or tokens.new_password()
    user.set_password(password)
    return NewUser(user, password)


@transaction.atomic
def reset_password(user: User) -> str:
    """A random password, answered this once; every log-in and token of the user ends."""
    password = tokens.new_password()
    row = User.objects.select_for_update().get(pk=user.pk)
    row.set_password(password)
    row.save(update_fields=["password", "token_version"])
    return password


def end_log_ins(user: User) -> None:
    """A log-out everywhere: no access or refresh token of the user is good any more."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)


def create_agent(*, client: Client, agent_id: str, name: str, **columns: Any) -> Agent:
    return Agent.objects.create(client=client, agent_id=agent_id, name=name, **columns)


def create_contact(
    *, client: Client, name: str = "", phone: str = "", contact_id: str | None = None, **columns: Any
) -> Contact:
    return Contact.objects.create(
        client=client, contact_id=contact_id or f"contact_{new_uuid().hex}", name=name, phone=phone, **columns
    )


@dataclass(frozen=True)
class NewApiToken:
    token: ApiToken
    secret: str


def create_api_token(
    *,
    client: Client,
    name: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    by: User | None = None,
) -> NewApiToken:
    """The secret is answered this once; only its hash is kept."""
    secret = tokens.new_api_token()
    token = ApiToken.objects.create(
        client=client,
        name=name,
        prefix=secret[:8],
        digest=tokens.digest(secret),
        scopes=tokens.all_scopes() if scopes is None else scopes,
        expires_at=expires_at,
        created_by=by,
    )
    return NewApiToken(token, secret)


def revoke(credential: ApiToken | PlatformKey) -> None:
    """Refused from now on (by processes that knew it, within CREDENTIAL_CACHE_SECONDS)."""
    type(credential).objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=timezone.now())


def create_platform_key(*, client: Client, name: str = "") -> PlatformKey:
    return PlatformKey.objects.create(client=client, name=name)


def rotate_session_id(client: Client) -> str:
    """A new session id; the old one is unknown at once."""
    session_id = tokens.new_session_id()
    Client.objects.filter(pk=client.pk).update(session_id=session_id)
    return session_id


@transaction.atomic
def agent_of_staff(caller: Caller, *, client_id: int) -> Agent:
    """The human agent that this member of staff is in a client, made at the first need."""
    if caller.agent_id is not None:
        return Agent.objects.get(pk=caller.agent_id)
    if caller.user_id is None or not caller.is_staff:
        raise Forbidden("Only staff may answer as agent")
    # A superuser belongs to no client and may answer in several; the one link there is stays free.
    linked = None if caller.is_superuser else caller.user_id
    agent, _ = Agent.objects.get_or_create(
        client_id=client_id,
        agent_id=f"user_{caller.user_id}",
        defaults={"name": caller.name, "user_id": linked},
    )
    return agent


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
