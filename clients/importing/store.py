"""A batch of lines against what the client has: what is new, what differs, what cannot be."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from chatplatform.errors import Conflict, Invalid

from ..actions.agents import bots_changed, change_agent, new_agent
from ..actions.contacts import change_contact, new_contact
from ..actions.saving import TAKEN
from ..actions.users import change_user, new_user, refuse_anothers_uuid
from ..checks import normal_email
from ..models import Agent, Client, Contact, User
from ..passwords import check_password_rules, hashed_password
from .people import KINDS, Kind, Line

_MODELS: dict[Kind, tuple[type[Any], str, Any, Any]] = {
    "user": (User, "external_id", lambda client, own, values: _new_user(client, own, values), change_user),
    "contact": (Contact, "contact_id", new_contact, change_contact),
    "agent": (Agent, "agent_id", new_agent, change_agent),
}
#: Columns by the names that lines give them.
_NAMES = {"contact_id": "id", "agent_id": "id", "external_id": "id", "kind": "agent_kind"}


def _new_user(client: Client, own_id: str, values: dict[str, Any]) -> User:
    row = new_user(client, {**values, "external_id": own_id})
    refuse_anothers_uuid(row)
    return row


@dataclass
class Plan:
    new: dict[Kind, list[Any]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    changed: dict[Kind, list[tuple[Any, list[str]]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    unchanged: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    refused: list[tuple[int, str]] = field(default_factory=list)


def plan(client: Client, lines: Sequence[Line], *, passwords: dict[int, str] | None = None, lock: bool = False) -> Plan:
    """Nothing is written. `passwords` are the hashes of new users by their line's number."""
    made = Plan()
    for kind in KINDS:
        of_kind = [line for line in lines if line.kind == kind]
        if of_kind:
            _plan_kind(client, kind, of_kind, made, passwords or {}, lock)
    return made


@transaction.atomic
def write(client: Client, lines: Sequence[Line], passwords: dict[int, str]) -> Plan:
    """The batch, or nothing of it. Raises IntegrityError where somebody else takes an id at this moment."""
    # One importer of a client at a time: what one makes, the next one finds, by id and address alike. SQLite has
    # one writer anyway.
    if connection.features.has_select_for_update:
        Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    done = plan(client, lines, passwords=passwords, lock=True)
    for kind in KINDS:
        _MODELS[kind][0].objects.bulk_create(done.new[kind])
        for row, columns in done.changed[kind]:
            row.save(update_fields=columns)
    programs = [row for row in (*done.new["agent"], *(row for row, _ in done.changed["agent"])) if row.kind == "ai"]
    for row in programs[:1]:
        bots_changed(row)
    return done


def hashed_passwords(client: Client, lines: Iterable[Line]) -> tuple[dict[int, str], list[tuple[int, str]]]:
    """Of the users that are new, by their line's number, and the lines whose password breaks the rules.

    Outside of the transaction, on all cores: this is what takes long."""
    wanted = [line for line in lines if line.kind == "user" and line.password]
    rows = User.objects.for_client(client.pk).filter(external_id__in=[line.id for line in wanted])
    known = set(rows.values_list("external_id", flat=True))
    hashes: dict[int, str] = {}
    refused: list[tuple[int, str]] = []
    with ThreadPoolExecutor() as pool:
        outcomes = pool.map(_hash, [line for line in wanted if line.id not in known])
        for number, hashed, problem in outcomes:
            if problem is None:
                hashes[number] = hashed
            else:
                refused.append((number, problem))
    return hashes, refused


def _hash(line: Line) -> tuple[int, str, str | None]:
    user = User(name=line.values["name"], email=line.values["email"], username=line.values["email"])
    try:
        return line.number, hashed_password(line.password or "", user), None
    except Invalid as error:
        return line.number, "", _reason(error)


def wrong_password(line: Line) -> str | None:
    """What a dry run says of it, without the work of hashing."""
    if line.kind != "user" or not line.password:
        return None
    try:
        check_password_rules(
            line.password,
            User(name=line.values["name"], email=line.values["email"], username=line.values["email"]),
        )
    except Invalid as error:
        return _reason(error)
    return None


def _plan_kind(
    client: Client, kind: Kind, lines: list[Line], made: Plan, passwords: dict[int, str], lock: bool
) -> None:
    model, id_column, create, change = _MODELS[kind]
    rows = model.objects.for_client(client.pk)
    if lock:
        rows = rows.select_for_update(no_key=True).order_by("pk")
    have = {getattr(row, id_column): row for row in rows.filter(**{f"{id_column}__in": [line.id for line in lines]})}
    holders = _holders(lines) if kind == "user" else {}
    for line in lines:
        row = have.get(line.id)
        values = dict(line.values)
        try:
            if kind == "user":
                row = _user_of(client, line, row, holders)
                if row is not None:
                    values["external_id"] = line.id
            if row is None:
                row = create(client, line.id, values)
                if line.number in passwords:
                    row.password = passwords[line.number]
                made.new[kind].append(row)
                continue
            if kind == "agent" and row.kind == Agent.Kind.SYSTEM:
                raise Invalid("id: this agent is the client's own voice")
            columns = change(row, values)
        except (Invalid, Conflict) as error:
            made.refused.append((line.number, _reason(error)))
            continue
        if columns:
            made.changed[kind].append((row, columns))
        else:
            made.unchanged[kind] += 1


def _holders(lines: list[Line]) -> dict[str, User]:
    """Who of the whole installation has the lines' addresses."""
    rows = User.objects.with_email(*(line.values["email"] for line in lines))
    return {row.email.lower(): row for row in rows}


def _user_of(client: Client, line: Line, row: User | None, holders: dict[str, User]) -> User | None:
    """The user of a line: by the client's id, else the client's user of that address who has no such id yet."""
    holder = holders.get(normal_email(line.values["email"]).lower())
    if holder is None or (row is not None and holder.pk == row.pk):
        return row
    if row is None and holder.client_id == client.pk and holder.external_id is None:
        return holder
    raise Invalid(f"email: {TAKEN}")


def _reason(error: Invalid | Conflict) -> str:
    for column, messages in error.fields.items():
        return f"{_NAMES.get(column, column)}: {messages[0]}"
    return error.message
