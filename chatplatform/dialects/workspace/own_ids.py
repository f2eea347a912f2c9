"""From the ids of the workspace's own to people of the store."""

from collections.abc import Sequence
from typing import Any

from chatplatform.errors import InvalidParticipant
from clients.models import Agent, Contact
from conversations.actions import PERMISSIONS, Person, ensure_room
from conversations.models import Participant
from messaging.senders import Sender, as_agent, as_contact

from .view import View

_KINDS = ("contact_id", "agent_id")


def persons(view: View, given: Sequence[dict[str, Any]], roles: dict[str, str], field: str = "") -> list[Person]:
    """Who is to take part, in the order given; `roles` of those who are given none, by the kind of id.

    Raises LimitReached, and InvalidParticipant for both ids or neither, for unknown people and for the
    same twice. `field` is where they stood in the body.
    """
    ensure_room(len(given))
    keys = [_key(one, f"{field}.{place}" if field else "") for place, one in enumerate(given)]
    known = _known(view, keys)
    people = []
    for place, (one, key) in enumerate(zip(given, keys, strict=True)):
        where = f"{field}.{place}.{key[0]}" if field else key[0]
        if key not in known:
            raise InvalidParticipant("Unknown person", fields={where: ["Nobody has this id."]})
        if key in keys[:place]:
            raise InvalidParticipant("Twice the same participant", fields={where: ["Given twice."]})
        permissions = one.get("permissions", ("read", "write"))
        rights = {f"can_{name}": name in permissions for name in PERMISSIONS}
        role = one.get("role", roles[key[0]])
        people.append(Person(**{key[0]: known[key]}, role=role, **rights))  # type: ignore[arg-type]
    return people


def sender(view: View, given: dict[str, Any]) -> Sender | None:
    """Whose message it is to be; None where nobody has the id."""
    kind, own_id = _key(given, "sender")
    if kind == "contact_id":
        contact = view.all(Contact).filter(contact_id=own_id, erased_at=None).first()
        return contact and as_contact(contact)
    agent = view.all(Agent).assignable().filter(agent_id=own_id).first()
    return agent and as_agent(agent)


#: The role of a first participant, and of one who joins.
FIRST = {"contact_id": Participant.Role.CUSTOMER.value, "agent_id": Participant.Role.AGENT.value}
JOINING = dict.fromkeys(_KINDS, Participant.Role.PARTICIPANT.value)


def _key(given: dict[str, Any], where: str) -> tuple[str, str]:
    named = [(kind, given[kind]) for kind in _KINDS if kind in given]
    if len(named) != 1:
        said = {where or "contact_id": ["Exactly one of contact_id and agent_id is required."]}
        raise InvalidParticipant("Both ids, or neither", fields=said)
    return named[0]


def _known(view: View, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The primary keys of those whom the caller's workspace knows; one query a kind."""
    rows = {"contact_id": view.all(Contact).filter(erased_at=None), "agent_id": view.all(Agent).assignable()}
    known: dict[tuple[str, str], int] = {}
    for kind, visible in rows.items():
        if own_ids := {own_id for named, own_id in keys if named == kind}:
            found = visible.filter(**{f"{kind}__in": own_ids}).values_list(kind, "pk")
            known.update({(kind, own_id): pk for own_id, pk in found})
    return known
