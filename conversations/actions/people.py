"""Who takes part, and who is in charge."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chatplatform.errors import InvalidParticipant, LimitReached, NotFound
from clients.callers import Caller
from clients.models import Agent

from .. import events
from ..models import Conversation, Participant
from .locking import Target, lock, save

PERMISSIONS = ("read", "write", "manage")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is to take part: exactly one of the three ids (all are primary keys)."""

    user_id: int | None = None
    contact_id: int | None = None
    agent_id: int | None = None
    role: str = Participant.Role.PARTICIPANT
    can_read: bool = True
    can_write: bool = True
    can_manage: bool = False

    @property
    def key(self) -> dict[str, int | None]:
        return {"user_id": self.user_id, "contact_id": self.contact_id, "agent_id": self.agent_id}


def ensure_group(people: Sequence[Person]) -> None:
    """That these may begin a conversation. Raises LimitReached (over 100), InvalidParticipant (twice the same)."""
    ensure_room(len(people))
    if len({tuple(person.key.items()) for person in people}) < len(people):
        raise InvalidParticipant("Twice the same participant")


def ensure_room(count: int) -> None:
    if count > settings.PARTICIPANT_LIMIT:
        raise LimitReached(f"At most {settings.PARTICIPANT_LIMIT} participants")


def new_participants(conversation: Conversation, people: Iterable[Person], *, at: datetime) -> list[Participant]:
    return Participant.objects.bulk_create(
        Participant(
            conversation=conversation,
            **person.key,
            role=person.role,
            can_read=person.can_read,
            can_write=person.can_write,
            can_manage=person.can_manage,
            joined_at=at,
            updated_at=at,
            last_read_seq=conversation.last_seq,
            activity_at=conversation.activity_at,
            is_pinned=conversation.is_pinned,
        )
        for person in people
    )


@transaction.atomic
def add_participant(*, conversation: Target, person: Person, by: Caller) -> Participant:
    """An agent who joins where nobody is in charge is in charge from then on.

    Raises ConversationClosed, InvalidParticipant (twice the same), LimitReached (over 100).
    """
    from .lifecycle import ensure_open

    row = lock(conversation)
    ensure_open(row)
    [participant] = _join(row, [person])
    events.record(row, events.Kind.PARTICIPANT_ADDED, participant=str(participant.uuid), by=by.name)
    if person.agent_id is not None and row.assigned_agent_id is None:
        _put_in_charge(row, Agent.objects.get(pk=person.agent_id))
    return participant


@transaction.atomic
def update_participant(
    *,
    conversation: Target,
    participant_id: int,
    by: Caller,
    role: str | None = None,
    permissions: Collection[str] | None = None,
) -> Participant:
    """Another role, other permissions, or both. Raises ConversationClosed and NotFound."""
    from .lifecycle import ensure_open

    row = lock(conversation)
    participant = _present(row, participant_id)
    changes: dict[str, Any] = {} if role is None else {"role": role}
    if permissions is not None:
        changes.update({f"can_{name}": name in permissions for name in PERMISSIONS})
    if all(getattr(participant, name) == value for name, value in changes.items()):
        return participant
    ensure_open(row)
    old = _described(participant)
    for name, value in changes.items():
        setattr(participant, name, value)
    Participant.objects.filter(pk=participant.pk).update(**changes, updated_at=timezone.now())
    save(row)
    events.record_update(row, {"participant": [old, _described(participant)]})
    return participant


def _described(participant: Participant) -> dict[str, Any]:
    permissions = [name for name in PERMISSIONS if getattr(participant, f"can_{name}")]
    return {"id": str(participant.uuid), "role": str(participant.role), "permissions": permissions}


def _present(row: Conversation, participant_id: int) -> Participant:
    participant: Participant | None = Participant.objects.present().filter(conversation=row, pk=participant_id).first()
    if participant is None:
        raise NotFound("Participant")
    return participant


def _join(row: Conversation, people: Sequence[Person], *, at: datetime | None = None) -> list[Participant]:
    for person in people:
        if Participant.objects.present().filter(conversation=row, **person.key).exists():
            raise InvalidParticipant("Already takes part")
    ensure_room(row.participant_count + len(people))
    participants = new_participants(row, people, at=at or timezone.now())
    save(row, participant_count=row.participant_count + len(people))
    return participants


@transaction.atomic
def remove_participant(*, conversation: Target, participant_id: int, by: Caller) -> None:
    """What they wrote stays, under their name. With the agent in charge the assignment ends, with the
    owner the ownership: it is nobody's then. Raises ConversationClosed and NotFound."""
    from .lifecycle import ensure_open

    row = lock(conversation)
    ensure_open(row)
    participant = _present(row, participant_id)
    _leave(row, participant)
    events.record(row, events.Kind.PARTICIPANT_REMOVED, participant=str(participant.uuid), by=by.name)
    if participant.agent_id is not None and participant.agent_id == row.assigned_agent_id:
        _put_in_charge(row, None)
    if participant.user_id is not None and participant.user_id == row.owner_id:
        former = row.owner
        save(row, owner=None)
        events.record_update(row, {"owner": [former and str(former.uuid), None]})


def _put_in_charge(row: Conversation, agent: Agent | None) -> None:
    """Follows from who takes part; `reassign` is the other way round."""
    former = row.assigned_agent
    save(row, assigned_agent=agent)
    events.record_update(row, {"assigned_agent": [former and former.agent_id, agent and agent.agent_id]})


def _leave(row: Conversation, participant: Participant, *, at: datetime | None = None) -> None:
    now = at or timezone.now()
    Participant.objects.filter(pk=participant.pk).update(removed_at=now, updated_at=now, unread_count=0)
    save(row, participant_count=row.participant_count - 1)


def assign_agent(*, conversation: Target, agent: Agent | None, by: Caller) -> Conversation:
    """Puts an agent in charge (None: nobody); they take part from then on."""
    from .lifecycle import update_conversation

    return update_conversation(conversation=conversation, by=by, assigned_agent=agent)


def reassign(row: Conversation, agent: Agent | None, *, at: datetime | None = None) -> None:
    """The participants' side of an assignment. A bot that is relieved leaves, else it would go on answering."""
    if agent is not None and agent.client_id != row.client_id:  # a superuser sees the agents of all clients
        raise NotFound("Agent")
    former = row.assigned_agent
    if former is not None and former.kind == Agent.Kind.AI:
        left = Participant.objects.present().filter(conversation=row, agent=former).first()
        if left is not None:
            _leave(row, left, at=at)
            events.record(row, events.Kind.PARTICIPANT_REMOVED, at=at, participant=str(left.uuid))
    if agent is None or Participant.objects.present().filter(conversation=row, agent=agent).exists():
        return
    [joined] = _join(row, [Person(agent_id=agent.pk, role=Participant.Role.AGENT)], at=at)
    events.record(row, events.Kind.PARTICIPANT_ADDED, at=at, participant=str(joined.uuid))
