"""The rows that events tell of, for whoever writes down what happened: few queries, however many events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from clients.models import Agent, User
from conversations.feed import Told
from conversations.models import Conversation, Participant

from .models import Message

#: The columns of a participant that have the name which they go by.
PARTICIPANT_NAMES = ("user__name", "agent__name", "contact__name")


@dataclass(frozen=True, slots=True)
class EventRows:
    """Values of what is still there; who reads them takes nothing for granted."""

    #: By primary key.
    conversations: dict[int, dict[str, Any]]
    #: By uuid.
    participants: dict[UUID, dict[str, Any]]
    #: Of whatever visibility, deleted or not.
    messages: dict[UUID, dict[str, Any]]


def rows_of(events: Sequence[Told], *, message: Sequence[str], participant: Sequence[str]) -> EventRows:
    """These columns of the messages and participants that the events name, and of their conversations."""
    pks = {event["conversation_id"] for event in events}
    messages: Any = Message.objects.values(*dict.fromkeys((*message, "uuid", "visibility", "deleted_at")))
    people: Any = Participant.objects.values(*dict.fromkeys((*participant, "uuid")))
    return EventRows(
        _conversations(pks),
        _named(people, pks, events, "participant"),
        _named(messages, pks, events, "message"),
    )


def _named(rows: Any, conversations: set[int], events: Sequence[Told], name: str) -> dict[UUID, dict[str, Any]]:
    uuids = {UUID(event["data"][name]) for event in events if event["data"].get(name)}
    if not uuids:
        return {}
    return {row["uuid"]: row for row in rows.filter(uuid__in=uuids, conversation_id__in=conversations)}


def agents_of(events: Sequence[Told]) -> dict[tuple[int, str], int]:
    """The keys of the agents that assignments name, by their client and its own id of them."""
    named = {
        (event["client_id"], own_id)
        for event in events
        for own_id in event["data"].get("changes", {}).get("assigned_agent", ())
        if own_id
    }
    if not named:
        return {}
    clients, own_ids = ({one[place] for one in named} for place in (0, 1))
    rows = Agent.objects.filter(client__in=clients, agent_id__in=own_ids).values_list("client_id", "agent_id", "pk")
    return {(client, own_id): pk for client, own_id, pk in rows}


def people_of(users: set[int], conversations: set[int]) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    """Values of these users and conversations by their keys, for what is told and not kept."""
    people = User.objects.filter(pk__in=users).values("id", "uuid", "external_id", "name")
    return {row["id"]: row for row in people}, _conversations(conversations)


def participant_name(row: Mapping[str, Any]) -> str:
    """Of values of PARTICIPANT_NAMES."""
    return next((row[name] for name in PARTICIPANT_NAMES if row[name]), "")


def _conversations(pks: set[int]) -> dict[int, dict[str, Any]]:
    if not pks:
        return {}
    return {row["id"]: row for row in Conversation.objects.filter(pk__in=pks).values("id", "uuid", "title")}
