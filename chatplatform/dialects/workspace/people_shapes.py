"""Contacts, agents and users as this dialect shows them."""

from typing import Any, Literal, TypedDict

from clients.models import Agent, Contact, User

from ..operations import Time, Uuid
from .shapes import Pagination, time


class ContactShown(TypedDict):
    id: str
    name: str
    phone: str | None
    email: str | None
    metadata: dict[str, Any]
    created_at: Time
    updated_at: Time


class Contacts(TypedDict):
    contacts: list[ContactShown]
    pagination: Pagination


class AgentShown(TypedDict):
    id: str
    name: str
    kind: Literal["human", "ai"]
    #: The first of its queues.
    queue: str | None
    queues: list[str]
    is_active: bool
    created_at: Time


class Agents(TypedDict):
    agents: list[AgentShown]
    pagination: Pagination


class UserShown(TypedDict):
    uuid: Uuid
    id: int
    external_id: str | None
    name: str
    email: str
    is_active: bool
    created_at: Time


class Users(TypedDict):
    users: list[UserShown]
    pagination: Pagination


def contact(row: Contact) -> ContactShown:
    return {
        "id": row.contact_id,
        "name": row.name,
        "phone": row.phone or None,
        "email": row.email or None,
        "metadata": row.metadata,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def agent(row: Agent) -> AgentShown:
    return {
        "id": row.agent_id,
        "name": row.name,
        "kind": "ai" if row.kind == Agent.Kind.AI else "human",
        "queue": row.queues[0] if row.queues else None,
        "queues": row.queues,
        "is_active": row.is_active,
        "created_at": time(row.created_at),
    }


def user(row: User) -> UserShown:
    return {
        "uuid": str(row.uuid),
        "id": row.pk,
        "external_id": row.external_id,
        "name": row.name,
        "email": row.email,
        "is_active": row.is_active,
        "created_at": time(row.date_joined),
    }
