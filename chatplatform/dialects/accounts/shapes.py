from typing import TypedDict

from clients.credentials import TokenPair
from clients.models import User

from ..operations import Uuid


class Error(TypedDict):
    detail: str


class Pair(TypedDict):
    access: str
    refresh: str


class Person(TypedDict):
    uuid: Uuid
    name: str
    email: str


class LoggedIn(Pair):
    user: Person


class WithCookies(TypedDict):
    user: Person


class Tenant(TypedDict):
    id: Uuid
    name: str


class Me(Person):
    id: int
    client: Tenant | None
    is_staff: bool


def person(user: User) -> Person:
    return {"uuid": str(user.uuid), "name": user.name, "email": user.email}


def token_pair(pair: TokenPair, user: User) -> LoggedIn:
    return {**refreshed(pair), "user": person(user)}


def refreshed(pair: TokenPair) -> Pair:
    return {"access": pair.access, "refresh": pair.refresh}


def me(user: User) -> Me:
    client = user.client
    return {
        "uuid": str(user.uuid),
        "id": user.pk,
        "name": user.name,
        "email": user.email,
        "client": {"id": str(client.uuid), "name": client.name} if client else None,
        "is_staff": user.is_staff,
    }


class Asked(TypedDict):
    detail: str


def asked() -> Asked:
    return {"detail": "If somebody has this address, a mail with a link is on its way."}
