"""Users: who logs in, and with which password."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F

from chatplatform.errors import Forbidden

from .. import tokens
from ..callers import Caller
from ..checks import check_columns, normal_email
from ..models import Client, User
from ..passwords import hashed_password
from ..roles import Role
from .saving import already_taken, save_unique, set_changed

_CHECKED = ("name", "email", "external_id")
_OF_LOG_IN = frozenset({"email", "is_active"})


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
    #: Nobody is told a password: one is set by the link of a mail.
    sets_password_by_mail: bool = False


def create_users(*, client: Client, people: Iterable[Person]) -> list[NewUser]:
    """Users of a client, with the passwords answered this once. Hashing, the slow part, runs on all cores.

    Raises Invalid, Conflict (an address or external id is taken); then there are none of them.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda person: _new_user(client, person), people))
    with transaction.atomic():
        for new in made:
            refuse_anothers_uuid(new.user)
            save_unique(new.user, lambda user=new.user: _taken(user), force_insert=True)  # type: ignore[misc]
    return made


def create_user(*, client: Client, **person: Any) -> NewUser:
    """One user, by the fields of `Person`."""
    return create_users(client=client, people=[Person(**person)])[0]


def _new_user(client: Client, person: Person) -> NewUser:
    values = {"name": person.name, "email": person.email, "role": person.role, "external_id": person.external_id}
    user = new_user(client, values)
    if person.password is not None:
        user.password = hashed_password(person.password, user)
    elif not person.sets_password_by_mail:
        password = tokens.new_password()
        user.password = make_password(password)
        return NewUser(user, password)
    return NewUser(user, person.password or "")


def new_user(client: Client, values: dict[str, Any]) -> User:
    """Checked and not saved, without a password. Raises Invalid."""
    row = User(client=client, **values)
    row.email = row.username = normal_email(row.email)
    row.is_staff = row.role in Role.staff()
    row.set_unusable_password()
    check_columns(row, _CHECKED)
    return row


def update_user(*, user: User, by: Caller, **changes: Any) -> User:
    """Changes name, email, external_id, is_active and password. What ends a log-in ends its tokens.

    Raises Invalid, Conflict (an address or external id is taken) and Forbidden: a token of the client
    does not change how its staff log in.
    """
    password = changes.pop("password", None)
    if by.token_id is not None and user.is_staff and (password or changes.keys() & _OF_LOG_IN):
        raise Forbidden("How staff log in is changed in the admin")
    if password is not None:
        meant = User(username=user.username, name=changes.get("name") or user.name)
        meant.email = changes.get("email") or user.email
        password = hashed_password(password, meant)
    with transaction.atomic():
        row: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        changed = change_user(row, changes)
        if password is not None:
            row.password = password
            row.token_version += 1
            changed = [*changed, "password", "token_version"]
        if changed:
            save_unique(row, lambda: _taken(row), update_fields=set(changed))
    return row


def refuse_anothers_uuid(row: User) -> None:
    """An own id that is somebody else's uuid would name two people. Raises Conflict."""
    if User.objects.of_uuid(row.external_id).exclude(pk=row.pk).exists():
        raise already_taken(["external_id"])


def change_user(row: User, changes: dict[str, Any]) -> list[str]:
    """Gives a row new values and answers the columns to save, none where all is as it was.

    Raises Invalid, Conflict (an external id that is somebody else's uuid)."""
    values = dict(changes)
    if "email" in values:
        values["email"] = normal_email(values["email"])
        if row.username.lower() == row.email.lower():
            values["username"] = values["email"]
    if row.is_active and values.get("is_active") is False:
        values["token_version"] = row.token_version + 1  # who is let in again later logs in again
    changed = set_changed(row, values)
    check_columns(row, [name for name in changed if name in _CHECKED])
    if "external_id" in changed:
        refuse_anothers_uuid(row)
    return changed


def _taken(row: User) -> list[str]:
    others = User.objects.exclude(pk=row.pk)
    columns = []
    if others.with_email(row.email).exists() or others.filter(username=row.username).exists():
        columns.append("email")
    if others.filter(client_id=row.client_id, external_id=row.external_id or "").exists():
        columns.append("external_id")
    return columns


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
