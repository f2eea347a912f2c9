"""Whether the figures of conversations agree with what they count; and the mending where they do not."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.query import QuerySet

from chatplatform.errors import NotFound
from chatplatform.text import fold
from conversations import events
from conversations.actions import Person, lock, save
from conversations.actions.people import new_participants
from conversations.models import Conversation, Participant, SessionHistory, StateChange
from conversations.states import Status

from . import files
from .counters import Figures, among, counted, recount
from .models import Message, Upload

_BATCH = 200  # conversations
#: The states that a conversation may be made in; any other has a history.
_FIRST = frozenset({Status.NEW, Status.ACTIVE, Status.RESOLVED})
_UNTOLD = "one that its history tells"


@dataclass(frozen=True, slots=True)
class Difference:
    """`stored` is what the database has, `right` what it must be."""

    conversation: int
    uuid: str
    field: str
    stored: Any
    right: Any
    repaired: bool = False

    def __str__(self) -> str:
        tail = ", repaired" if self.repaired else ""
        return (
            f"conversation {self.conversation} ({self.uuid}): {self.field} is {self.stored}, must be {self.right}{tail}"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def verify(client_id: int | None = None, *, repair: bool = False) -> Iterator[tuple[int, list[Difference]]]:
    """Recounts every conversation, deleted ones too, but not those that are just being removed for good: for
    each batch how many were recounted, and what differs.

    Others may write meanwhile: what seems to differ is counted again under the conversation's lock
    before it is told (and mended).
    """
    after = 0
    while rows := list(_batch(client_id, after)):
        suspects = [row.pk for row, found in _differences(rows) if found]
        yield len(rows), [difference for pk in suspects for difference in _settle(pk, repair=repair)]
        after = rows[-1].pk


def _batch(client_id: int | None, after: int) -> "QuerySet[Conversation]":
    rows = Conversation.objects.filter(pk__gt=after, removing_since=None).order_by("pk")
    return rows[:_BATCH] if client_id is None else rows.for_client(client_id)[:_BATCH]


@transaction.atomic
def _settle(pk: int, *, repair: bool) -> list[Difference]:
    try:
        row = lock(Conversation.objects.filter(pk=pk))
    except NotFound:
        return []
    [(_, found)] = _differences([row])
    if not (found and repair):
        return found
    _repair(row, found)
    [(_, left)] = _differences([Conversation.objects.get(pk=pk)])
    still = {difference.field for difference in left}
    return [replace(difference, repaired=difference.field not in still) for difference in found]


def repair_conversation(*, conversation: Conversation) -> list[Difference]:
    """Makes every figure of a conversation what its messages say; answers what differed.

    Messages that are lost (places without a row) stay lost.
    """
    return _settle(conversation.pk, repair=True)


def _repair(row: Conversation, found: Sequence[Difference]) -> None:
    fields = {difference.field for difference in found}
    Message.objects.of(row.pk).exclude(client_id=row.client_id).update(client_id=row.client_id)
    if "attachment_count" in fields:
        for pk, _, count in _attachments([row.pk]):
            Message.objects.filter(pk=pk).update(attachment_count=count)
    if "owner" in fields and row.owner is not None:
        role = Participant.Role.PARTICIPANT if row.owner.is_staff else Participant.Role.CUSTOMER
        people = [Person(user_id=row.owner_id, role=role, can_manage=True)]
        new_participants(row, people, at=row.created_at)
    if "title_folded" in fields:
        save(row, title_folded=fold(row.label))
    right = StateChange.objects.filter(conversation=row).order_by("-id").values_list("new", flat=True).first()
    if "status" in fields and right is not None:
        events.record_update(row, {"status": [row.status, right]})
        save(row, status=right)
    recount(row)


def _differences(rows: Sequence[Conversation]) -> Iterator[tuple[Conversation, list[Difference]]]:
    ids = [row.pk for row in rows]
    sessions = _sessions(ids)
    changes = StateChange.objects.filter(among(ids)).order_by("id").values_list("conversation_id", "new")
    status = dict(changes)  # the last one of each
    foreign = dict(
        Message.objects.filter(among(ids))
        .exclude(client_id=F("conversation__client_id"))
        .order_by()
        .values_list("conversation_id")
        .annotate(Count("id"))
    )
    attachments: dict[int, int] = defaultdict(int)
    for _, pk, _ in _attachments(ids):
        attachments[pk] += 1
    lost_files = Counter(pk for pk, key in _kept_files(ids) if not files.store().exists(key))
    for row, figures in counted(rows):
        facts = [
            *((name, getattr(row, name), right) for name, right in figures.columns.items()),
            *_session_facts(sessions[row.pk], figures),
            *_people_facts(row, figures),
            ("status", row.status, status.get(row.pk, row.status if row.status in _FIRST else _UNTOLD)),
            ("title_folded", row.title_folded, fold(row.label)),
            ("client_id of messages", f"another in {foreign.get(row.pk, 0)}", "another in 0"),
            ("attachment_count", f"wrong in {attachments[row.pk]} messages", "wrong in 0 messages"),
            ("messages", f"{figures.lost} lost", "0 lost"),
            ("files", f"{lost_files[row.pk]} without bytes", "0 without bytes"),
        ]
        found = [
            Difference(row.pk, str(row.uuid), field, _plain(stored), _plain(right))
            for field, stored, right in facts
            if stored != right
        ]
        yield row, found


def _session_facts(stored: set[tuple[Any, ...]], figures: Figures) -> Iterator[tuple[str, Any, Any]]:
    right = {(one.start, one.end, one.count, one.minutes) for one in figures.sessions}
    yield "sessions", _spans(stored - right), _spans(right - stored)


def _people_facts(row: Conversation, figures: Figures) -> Iterator[tuple[str, Any, Any]]:
    for person, values in figures.participants:
        for name, right in values.items():
            yield f"{name} of participant {person.pk}", getattr(person, name), right
    if row.owner_id is not None:
        present = any(person.user_id == row.owner_id for person, _ in figures.participants)
        yield "owner", "takes part" if present else "takes no part", "takes part"


def _sessions(ids: Sequence[int]) -> dict[int, set[tuple[Any, ...]]]:
    columns = ("conversation_id", "session_start", "session_end", "messages_count", "duration_minutes")
    found: dict[int, set[tuple[Any, ...]]] = defaultdict(set)
    for pk, *session in SessionHistory.objects.filter(among(ids)).values_list(*columns):
        found[pk].add(tuple(session))
    return found


def _attachments(ids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Message, conversation and right number, where the number is wrong."""
    rows = (
        Message.objects.filter(among(ids), Q(attachment_count__gt=0) | Q(attachments__isnull=False))
        .order_by()
        .values_list("id", "conversation_id")
        .annotate(right=Count("attachments"))
        .exclude(attachment_count=F("right"))
    )
    yield from rows


def _kept_files(ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Conversation and place of every file that was received and not removed since."""
    kept = Upload.objects.filter(conversation__in=ids, removed_at=None).exclude(state=Upload.State.PENDING)
    yield from kept.values_list("conversation_id", "storage_key")


def _spans(sessions: set[tuple[Any, ...]]) -> list[str]:
    return [f"{_plain(start)}/{_plain(end)} {count} messages" for start, end, count, _ in sorted(sessions)]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
