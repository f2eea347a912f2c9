"""What a conversation's figures must be, counted from its messages. `send_message` moves them one by one;
deletions, imports and `verify_integrity` count them here."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import F, Q

from clients.models import Agent
from conversations.actions import save
from conversations.models import Conversation, Participant
from conversations.sessions import Session, rebuild, split

from .models import Message
from .text import PREVIEW, plain_text

_LINE = (
    "conversation_id", "seq", "visibility", "deleted_at", "created_at", "is_customer", "sender_user_id",
    "sender_agent__kind",
)  # fmt: skip


@dataclass(slots=True)
class Reader:
    """A user who takes part, and how far they have read."""

    participant: Participant
    user_id: int
    unread: int = 0


@dataclass(slots=True)
class Tally:
    """Counts the messages of one conversation, given in their order."""

    owner_read_seq: int = 0
    staff_read_seq: int = 0
    readers: Sequence[Reader] = ()
    rows: int = 0
    first_seq: int = 0
    last_seq: int = 0
    last_message_seq: int = 0
    owner_unread: int = 0
    staff_unread: int = 0
    waiting_since: datetime | None = None
    times: list[datetime] = field(default_factory=list)

    def place(self, seq: int) -> None:
        """A message of any kind: private, held and deleted ones have a place and nothing else."""
        self.rows += 1
        self.first_seq = self.first_seq or seq
        self.last_seq = seq

    def count(
        self, seq: int, at: datetime, *, is_customer: bool, agent_kind: str | None, user_id: int | None = None
    ) -> None:
        """A message that all who may see the conversation see."""
        self.last_message_seq = seq
        self.times.append(at)
        if is_customer:
            self.staff_unread += seq > self.staff_read_seq
            self.waiting_since = self.waiting_since or at
        elif agent_kind == Agent.Kind.SYSTEM:
            return  # an auto-reply is unread by nobody and answers nothing
        elif agent_kind is not None:
            self.owner_unread += seq > self.owner_read_seq
            self.waiting_since = None
        for reader in self.readers:
            reader.unread += seq > reader.participant.last_read_seq and user_id != reader.user_id


@dataclass(slots=True)
class Figures:
    """What must stand where: columns of the conversation, its sessions, columns of each participant."""

    columns: dict[str, Any]
    sessions: list[Session]
    participants: list[tuple[Participant, dict[str, Any]]]
    lost: int = 0  # places between the first and the last message that no row has


def figures_of(tally: Tally, row: Conversation, people: Sequence[Participant], last_text: str) -> Figures:
    """The figures of a conversation whose messages have been counted."""
    newest = max(tally.times, default=None)
    spans = list(split(tally.times))
    columns = {
        "last_seq": tally.last_seq,
        "message_count": len(tally.times),
        "last_message_at": newest,
        "last_message_seq": tally.last_message_seq,
        "last_message_text": last_text,
        "activity_at": newest or row.created_at,
        "owner_unread": tally.owner_unread,
        "staff_unread": tally.staff_unread,
        "waiting_since": tally.waiting_since,
        "session_started_at": spans[-1].start if spans else None,
        "participant_count": len(people),
    }
    unread = {reader.participant.pk: reader.unread for reader in tally.readers}
    participants = [
        (
            person,
            {
                "unread_count": unread.get(person.pk, 0),
                "last_read_seq": min(person.last_read_seq, tally.last_seq),
                "activity_at": columns["activity_at"],
                "is_pinned": row.is_pinned,
            },
        )
        for person in people
    ]
    lost = tally.last_seq - tally.first_seq + 1 - tally.rows if tally.rows else 0
    return Figures(columns, spans, participants, lost)


def among(ids: Collection[int]) -> Q:
    """Rows of these conversations. The range says the same again, to planners: from a long list alone
    PostgreSQL expects so many messages that it reads the whole table."""
    return Q(conversation__in=ids, conversation__gte=min(ids), conversation__lte=max(ids))


def counted(rows: Sequence[Conversation]) -> Iterator[tuple[Conversation, Figures]]:
    """Counts each of these conversations; three queries, however many they are, where nothing differs."""
    by_id = {row.pk: row for row in rows}
    people: dict[int, list[Participant]] = {pk: [] for pk in by_id}
    for person in Participant.objects.present().filter(among(by_id)).order_by("id"):
        people[person.conversation_id].append(person)
    tallies = {row.pk: _tally(row, people[row.pk]) for row in rows}
    lines = Message.objects.filter(among(by_id)).order_by("conversation_id", "seq").values_list(*_LINE)
    for pk, group in groupby(lines.iterator(), key=itemgetter(0)):
        tally = tallies[pk]
        for _, seq, visibility, deleted_at, at, is_customer, user_id, agent_kind in group:
            tally.place(seq)
            if visibility == "public" and deleted_at is None:
                tally.count(seq, at, is_customer=is_customer, agent_kind=agent_kind, user_id=user_id)
    texts = _last_texts(by_id, {pk: tally.last_message_seq for pk, tally in tallies.items()})
    for row in rows:
        yield row, figures_of(tallies.pop(row.pk), row, people[row.pk], texts.get(row.pk, ""))


def _tally(row: Conversation, people: Sequence[Participant]) -> Tally:
    readers = [Reader(person, person.user_id) for person in people if person.user_id is not None]
    return Tally(owner_read_seq=row.owner_read_seq, staff_read_seq=row.staff_read_seq, readers=readers)


def _last_texts(by_id: dict[int, Conversation], wanted: dict[int, int]) -> dict[int, str]:
    """The last message of each, in one line. What the row calls its last is nearly always right."""
    said = Message.objects.filter(among(by_id), seq=F("conversation__last_message_seq")).order_by()
    columns = ("conversation_id", "seq", "type", "text", "content")
    texts = {
        pk: plain_text(*message)[:PREVIEW] for pk, seq, *message in said.values_list(*columns) if seq == wanted[pk]
    }
    for pk, seq in wanted.items():
        if seq and pk not in texts:
            texts[pk] = plain_text(*Message.objects.of(pk).values_list(*columns[2:]).get(seq=seq))[:PREVIEW]
    return texts


def recount(row: Conversation) -> None:
    """Sets every figure of a locked conversation from its messages; what a deletion and a repair need."""
    [(_, right)] = counted([row])
    last = right.columns["last_seq"]
    reads = {name: min(getattr(row, name), last) for name in ("owner_read_seq", "staff_read_seq")}
    rebuild(row, right.sessions)
    save(row, **right.columns, **reads)
    for person, values in right.participants:
        if any(getattr(person, name) != value for name, value in values.items()):
            Participant.objects.filter(pk=person.pk).update(**values)
