"""Keeps the figures current: what happened to conversations is folded in, a batch at a time.

A batch takes the conversations that the event log (or a mark) names, counts each from its rows, and brings the
difference from what it had added before into the figures, in one transaction with its place in the log. To
count a conversation again therefore changes nothing, and whoever is killed leaves nothing half done.

Ids of events are given before a transaction commits: a lower one may appear later (conversations.feed). The place
moves only to where none can come any more; what lies beyond is folded in nevertheless, and looked at again.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q

from chatplatform.db.alone import in_turn, number_of
from clients.models import Client
from conversations.feed import latest, writers_now
from conversations.models import Conversation, Event

from .models import Mark, Position, Rollup, Share
from .shares import shares_of
from .writing import replace_shares

NUMBER = number_of("analytics")
EVENTS = 1000  # of a batch
CONVERSATIONS = 200  # of a batch of events, of marks, or of a rebuild


@dataclass(slots=True)
class Batch:
    """What one has done."""

    #: Of the log, the last event it has seen.
    seen: int
    conversations: int
    #: There may be more.
    more: bool


def catch_up(seconds: float | None = None, *, has_turn: bool = False) -> bool:
    """Folds in what there is, for so long at most; whether nothing is left. `has_turn`: the caller is `in_turn`."""
    until = None if seconds is None else time.monotonic() + seconds
    seen = 0
    while (batch := _fold(seen) if has_turn else fold(seen)).more:
        seen = batch.seen
        if until is not None and time.monotonic() >= until:
            return False
    return True


def fold(seen: int = 0) -> Batch:
    """One batch, of events above `seen` that are not folded in yet. Others wait until it is over."""
    with in_turn(NUMBER):
        return _fold(seen)


def _fold(seen: int) -> Batch:
    place = Position.objects.first() or Position(pk=1)
    was = place.standing
    _note_zones()
    marks = list(Mark.objects.order_by("pk").values_list("pk", "conversation_id")[:CONVERSATIONS])
    after = max(seen, place.event_id)
    # Where some were skipped, a lower one may have come among them: the next run begins at its place again.
    settled = _look(place) if after == place.event_id else place.event_id
    events, more = _events(after)
    last = events[-1][0] if events else after
    place.event_id = max(place.event_id, min(settled, last) if more else settled)
    rollup, again = _to_rebuild()
    ids = {pk for _, pk in (*marks, *events)} | set(again)
    more = more or len(marks) == CONVERSATIONS or rollup is not None
    if not ids and rollup is None and place.standing == was:  # a transaction costs SQLite's turn to write
        return Batch(last, 0, more)
    fresh = shares_of(ids)
    with transaction.atomic():
        place.version += replace_shares(ids, fresh)
        if marks:
            Mark.objects.filter(pk__in=[pk for pk, _ in marks]).delete()
        if rollup is not None:
            rollup.rebuilt_to = max(again) if again else None
            rollup.save()
        if place.standing != was:  # else nothing is written
            place.save()
    return Batch(last, len(ids), more)


def _events(after: int) -> tuple[list[tuple[int, int]], bool]:
    """The next ones, id and conversation, of not too many conversations: others must write meanwhile. Whether
    there may be more."""
    rows = Event.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "conversation_id")[:EVENTS]
    events: list[tuple[int, int]] = []
    met: set[int] = set()
    for row in rows:
        if row[1] not in met and len(met) == CONVERSATIONS:
            return events, True
        met.add(row[1])
        events.append(row)
    return events, len(events) == EVENTS


def _look(place: Position) -> int:
    """Up to which id no event can come any more that is not there."""
    upto, writers = latest(), writers_now()
    if not writers:
        place.looked_at, place.writers = 0, []
        return upto
    if writers.isdisjoint(place.writers):  # those of the last look have ended
        settled, place.looked_at, place.writers = place.looked_at, upto, sorted(writers)
        return settled
    return place.event_id


# --- counting anew ---


def to_rebuild() -> "Q":
    """Of clients: whose figures are told by another clock than theirs, or are just being counted anew."""
    return Q(rollup__isnull=False) & (~Q(rollup__time_zone=F("time_zone")) | Q(rollup__rebuilt_to__isnull=False))


def _to_rebuild() -> tuple[Rollup | None, Collection[int]]:
    """The next conversations of a client whose figures are to be counted anew; none left, it is done."""
    client = Client.objects.filter(to_rebuild()).select_related("rollup").order_by("pk").first()
    if client is None:
        return None, ()
    rollup: Rollup = client.rollup
    if rollup.time_zone != client.time_zone:
        rollup.time_zone, rollup.rebuilt_to = client.time_zone, 0
    after = rollup.rebuilt_to or 0
    kept = Share.objects.filter(client=client, pk__gt=after).order_by("pk")
    there = Conversation.objects.filter(client=client, pk__gt=after).order_by("pk")
    ids = {*kept.values_list("pk", flat=True)[:CONVERSATIONS], *there.values_list("pk", flat=True)[:CONVERSATIONS]}
    return rollup, sorted(ids)[:CONVERSATIONS]


def _note_zones() -> None:
    """Of clients that are met for the first time; before anything of theirs is counted."""
    zones = list(Client.objects.filter(rollup=None).values_list("pk", "time_zone"))
    if zones:
        Rollup.objects.bulk_create((Rollup(client_id=pk, time_zone=zone) for pk, zone in zones), ignore_conflicts=True)


@transaction.atomic
def order_rebuild(client_id: int | None = None) -> int:
    """Has every conversation counted anew by the next batches; one that was begun goes on. Answers how many clients."""
    clients = Client.objects.all() if client_id is None else Client.objects.filter(pk=client_id)
    _note_zones()
    Rollup.objects.filter(client__in=clients, rebuilt_to=None).update(rebuilt_to=0)
    return clients.count()


def progress(client_id: int | None = None) -> tuple[int, int]:
    """How many conversations are counted anew, of how many."""
    rows = Conversation.objects.all() if client_id is None else Conversation.objects.for_client(client_id)
    left = 0
    for pk, rebuilt_to in Rollup.objects.exclude(rebuilt_to=None).values_list("pk", "rebuilt_to"):
        left += rows.filter(client=pk, pk__gt=rebuilt_to).count()
    total = rows.count()
    return total - left, total
