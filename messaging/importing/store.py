"""The write of an import: many dialogues at once, each whole or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.text import fold
from clients.models import Agent, Client, Contact, new_uuid
from conversations.actions.lifecycle import state_metadata
from conversations.events import Kind
from conversations.models import Conversation, ConversationTag, Event, Participant, SessionHistory, StateChange
from conversations.sessions import Session, rows_of
from conversations.states import FINISHED, Status

from ..counters import Tally, figures_of
from ..models import Message
from ..rules.words import Tagger
from ..search.text import stems
from ..text import PREVIEW
from . import people
from .bulk import insert_rows
from .dialogues import MAX_TAGS, Dialogue, Said

_OF_MESSAGE = (
    "uuid", "client_id", "conversation_id", "seq", "text", "created_at", "updated_at",
    "search", "type", "visibility", "is_customer", "sender_contact_id", "sender_agent_id", "sender_name",
)  # fmt: skip
_OF_PARTICIPANT = (
    "uuid", "conversation_id", "contact_id", "agent_id", "role", "joined_at", "updated_at", "activity_at"
)  # fmt: skip
#: What an outcome ended; the history of a finished dialogue has one change.
_BEFORE = Status.ACTIVE


@dataclass(slots=True)
class Stored:
    conversations: int = 0
    messages: int = 0  # that all who may see the conversation see
    private: int = 0

    def __iadd__(self, other: "Stored") -> "Stored":
        self.conversations += other.conversations
        self.messages += other.messages
        self.private += other.private
        return self


@dataclass(slots=True)
class _New:
    """A dialogue on its way in."""

    dialogue: Dialogue
    timed: list[tuple[Said, datetime]]
    contact: Contact
    agent: Agent | None
    row: Conversation
    sessions: list[Session]


@transaction.atomic
def import_dialogues(
    *, client: Client, dialogues: Sequence[Dialogue], at: datetime, tagger: Tagger | None = None
) -> Stored:
    """Adds the dialogues that the client does not have yet (by external id) as conversations with their
    people, messages, tags, state and figures. No rule, bot or webhook learns of them.

    `at` is the time of the import, at which those without times end; `tagger` gives auto-tags for what
    customers say.
    """
    # One importer of a client at a time: what one makes, the next one finds. Nothing else waits for this.
    # Its language of search stays as it is until this is committed.
    language = Client.objects.select_for_update(no_key=True).get(pk=client.pk).search_language
    dialogues = absent(client, dialogues)
    contacts, agents = people.contacts(client, dialogues), people.agents(client, dialogues)
    new = []
    for dialogue in dialogues:
        agent = agents.get(people.agent_name(dialogue))
        new.append(_prepare(client, dialogue, contacts[dialogue.external_id], agent, at))
    Conversation.objects.bulk_create(one.row for one in new)
    insert_rows(Participant, _OF_PARTICIPANT, (person for one in new for person in _participants(one)))
    insert_rows(Message, _OF_MESSAGE, (message for one in new for message in _messages(one, language)))
    SessionHistory.objects.bulk_create(session for one in new for session in rows_of(one.row, one.sessions))
    StateChange.objects.bulk_create(_end(one) for one in new if one.row.status in FINISHED)
    _tag(client, new, tagger)
    now = timezone.now()
    Event.objects.bulk_create(
        Event(
            client=client, conversation=one.row, kind=Kind.CREATED, data={"by": "", "imported": True}, created_at=now
        )
        for one in new
    )  # fmt: skip
    stored = Stored()
    for dialogue in dialogues:
        stored += contents(dialogue)
    return stored


def absent(client: Client, dialogues: Sequence[Dialogue]) -> list[Dialogue]:
    """Those whose external id no conversation of the client has; of two with the same id the first."""
    by_id: dict[str, Dialogue] = {}
    for dialogue in dialogues:
        by_id.setdefault(dialogue.external_id, dialogue)
    rows = Conversation.objects.alive().for_client(client.pk).filter(external_id__in=by_id)
    for external_id in rows.values_list("external_id", flat=True):
        del by_id[external_id]
    return list(by_id.values())


def contents(dialogue: Dialogue) -> Stored:
    private = sum(said.sender == "system" for said in dialogue.messages)
    return Stored(1, len(dialogue.messages) - private, private)


def _prepare(client: Client, dialogue: Dialogue, contact: Contact, agent: Agent | None, at: datetime) -> _New:
    timed = dialogue.timed(at)
    # A finished dialogue is history, read by all; one that is still open waits for someone to read it.
    read = len(timed) if dialogue.status in FINISHED else 0
    tally = Tally(owner_read_seq=read, staff_read_seq=read)
    last_text = ""
    for seq, (said, sent) in enumerate(timed, start=1):
        tally.place(seq)
        if said.sender != "system":
            kind = Agent.Kind.HUMAN if said.sender == "agent" else None
            tally.count(seq, sent, is_customer=said.sender == "customer", agent_kind=kind)
            last_text = said.text[:PREVIEW]
    first, last = min(sent for _, sent in timed), max(sent for _, sent in timed)
    row = Conversation(
        client=client,
        external_id=dialogue.external_id,
        channel=dialogue.channel,
        title=dialogue.subject,
        status=dialogue.status,
        assigned_agent=agent,
        owner_read_seq=read,
        staff_read_seq=read,
        created_at=first,
        updated_at=last,
    )
    row.title_folded = fold(row.label)
    if dialogue.status in FINISHED:
        row.status_changed_at = last
        row.metadata = state_metadata(_BEFORE.value, last)
    figures = figures_of(tally, row, (), last_text)
    for name, value in figures.columns.items():
        setattr(row, name, value)
    row.participant_count = 1 if agent is None else 2
    return _New(dialogue, timed, contact, agent, row, figures.sessions)


def _participants(one: _New) -> Iterator[tuple[Any, ...]]:
    """Their rows, in the order of `_OF_PARTICIPANT`."""
    row, at = one.row, one.row.created_at
    yield new_uuid(), row.pk, one.contact.pk, None, Participant.Role.CUSTOMER.value, at, at, row.activity_at
    if one.agent is not None:
        yield new_uuid(), row.pk, None, one.agent.pk, Participant.Role.AGENT.value, at, at, row.activity_at


def _messages(one: _New, language: str) -> Iterator[tuple[Any, ...]]:
    """Their rows, in the order of `_OF_MESSAGE`."""
    row, private = one.row, (Message.Type.EVENT.value, Message.Visibility.PRIVATE.value)
    public = (Message.Type.TEXT.value, Message.Visibility.PUBLIC.value)
    contact, agent = one.contact, one.agent
    sides: dict[str, tuple[Any, ...]] = {
        "customer": (*public, True, contact.pk, None, one.dialogue.customer or contact.contact_id),
        "agent": (*public, False, None, agent and agent.pk, agent and agent.name),
        "system": (*private, False, None, None, "system"),
    }
    for seq, (said, at) in enumerate(one.timed, start=1):
        words = stems(said.text, language)
        yield new_uuid(), row.client_id, row.pk, seq, said.text, at, at, words, *sides[said.sender]


def _end(one: _New) -> StateChange:
    at = one.row.status_changed_at
    assert at is not None  # noqa: S101 - set with every finished status
    return StateChange(conversation=one.row, old=_BEFORE, new=one.row.status, reason="import", created_at=at)


def _tag(client: Client, new: Sequence[_New], tagger: Tagger | None) -> None:
    names = [_tags_of(one.dialogue, tagger) for one in new]
    tags = people.tags(client, (name for few in names for name in few.values()))
    ConversationTag.objects.bulk_create(
        ConversationTag(conversation=one.row, tag=tags[folded], created_at=one.row.created_at)
        for one, few in zip(new, names, strict=True)
        for folded in few
    )


def _tags_of(dialogue: Dialogue, tagger: Tagger | None) -> dict[str, str]:
    """Its own, then auto-tags in the order of the messages that bring them, as far as there is room."""
    names = {fold(name): name for name in dialogue.tags}
    if tagger is not None:
        for said in dialogue.messages:
            if said.sender == "customer":
                for name in tagger.tags(said.text):
                    names.setdefault(fold(name), name)
    return dict(list(names.items())[:MAX_TAGS])
