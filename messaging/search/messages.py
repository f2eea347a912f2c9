"""Messages by their words, over the whole history, as one caller sees it (docs/search.md).

Where the caller's conversations have few messages, all of those are looked at, through their own index.
Else the newest of the client are walked, whose number the density of matches there decides; what is too
rare for that is looked up in the index of words. Nothing is ever ranked but the newest matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import Q

from chatplatform.db.textindex import Matches, Rank, Wanted
from clients.callers import Caller
from clients.models import Client
from conversations.models import Conversation

from ..models import Message
from ..querysets import COUNTED, WITH_NOTES
from .query import Parsed

CAP = 10_000
#: Matches among which a search by rank orders; later ones follow by their time.
RANKED = 500
#: Messages that are looked at one by one: of a caller with conversations of their own, and the newest of a client.
FEW, FIRST, FAR = 20_000, 2_000, 40_000
#: From this share of matches on, counting them one by one costs less than by the index.
_DENSE = 0.15
#: Conversations of their own that a caller's messages are looked for in by name.
_NAMED = 2_000


@dataclass(slots=True)
class Found:
    """A page of ids, and how many there are in all: exactly up to CAP, above it CAP + 1."""

    ids: list[int]
    total: int


def search(
    caller: Caller,
    parsed: Parsed,
    *,
    limit: int,
    offset: int = 0,
    by_rank: bool = False,
    conversation_id: int | None = None,
    notes: bool = False,
    rows: Any = None,
) -> Found:
    """The newest first, or the best of the newest 500 first. `notes`: private ones too, for staff in the admin.

    `rows`: none but these (all); what is rare among them may cost a look at every match there is.
    """
    rows = Message.objects.all() if rows is None else rows
    clients = Client.objects.visible_to(caller)
    parts = []
    for pk, language, zone in clients.order_by("pk").values_list("pk", "search_language", "time_zone"):
        condition = parsed.condition(zone)
        parts.append(Part(caller, pk, parsed.words(language), condition, conversation_id, notes, rows))
    if by_rank and offset < RANKED:
        best = sorted(islice(_merged(parts, RANKED, ranked=True), RANKED), key=lambda row: row[2], reverse=True)
        found = best[offset : offset + limit]
        if len(found) < limit and len(best) == RANKED:
            found += list(islice(_merged(parts, offset + limit), RANKED, offset + limit))
    else:
        found = list(islice(_merged(parts, offset + limit), offset, offset + limit))
    ids = [row[1] for row in found]
    if 0 < len(ids) < limit or (not ids and offset == 0):
        return Found(ids, offset + len(ids))
    return Found(ids, min(sum(part.count() for part in parts), CAP + 1))


def among_few(rows: Any, parsed: Parsed) -> Any:
    """Those of a few rows, of whatever clients, that match; whom they are shown to has been seen to."""
    found = Q(pk__in=[])
    kinds = Client.objects.filter(pk__in=rows.order_by().values("client")).order_by()
    for language, zone in kinds.values_list("search_language", "time_zone").distinct():
        matches = Matches("search", parsed.words(language), walk=True)
        theirs = Q(client__search_language=language, client__time_zone=zone)
        found |= theirs & parsed.condition(zone) & Q(matches)
    return rows.filter(found)


def _merged(parts: Sequence["Part"], most: int, *, ranked: bool = False) -> Any:
    """(time, id, rank) of each client's matches, the newest first."""
    if len(parts) == 1:
        return iter(parts[0].newest(most, ranked=ranked))
    return merge(*(part.newest(most, ranked=ranked) for part in parts), key=lambda row: row[:2], reverse=True)


@dataclass(slots=True)
class Part:
    """The search within one client."""

    caller: Caller
    client_id: int
    wanted: Wanted
    condition: Q
    conversation_id: int | None
    notes: bool
    rows: Any
    _few: list[int] | None = field(default=None, init=False)
    _looked: bool = field(default=False, init=False)
    _density: float = field(default=0.0, init=False)
    _known: int | None = field(default=None, init=False)

    def newest(self, most: int, *, ranked: bool = False) -> list[Any]:
        """The newest `most` matches: time, id and, if `ranked`, rank."""
        if self._of_few() is not None:
            return self._rows(self.all(walk=True), most, ranked)
        walked, found = FIRST, self._walk(FIRST, most, ranked)
        if found is None:
            return self._rows(self.all(walk=True), most, ranked)
        if len(found) < most and self._density:
            walked = min(int(1.5 * most / self._density), FAR)
            if walked > FIRST:
                found = self._walk(walked, most, ranked)
        if found is None or len(found) >= most:
            return found if found is not None else self._rows(self.all(walk=True), most, ranked)
        return self._rows(self.all(), most, ranked)

    def count(self) -> int:
        """No further than CAP + 1."""
        walk = self._of_few() is not None or self._density >= _DENSE
        return int(self.all(walk=walk).order_by()[: CAP + 1].count())

    def _walk(self, depth: int, most: int, ranked: bool) -> list[Any] | None:
        """The matches among the client's newest `depth` messages; None where it has no more than these."""
        newest = Message.objects.for_client(self.client_id).order_by("-created_at", "-id")
        edge = newest.values_list("created_at", "id")[depth : depth + 1]
        [(at, _pk)] = list(edge) or [(None, 0)]
        if at is None:
            return None
        rows = self.all(walk=True).filter(created_at__gt=at)
        found = self._rows(rows, most, ranked)
        self._density = self._density or len(found) / depth
        return found

    def _rows(self, rows: Any, most: int, ranked: bool) -> list[Any]:
        columns = ["created_at", "pk"]
        if ranked:
            rows = rows.annotate(rank=Rank("search", self.wanted))
            columns.append("rank")
        return list(rows.order_by("-created_at", "-id").values_list(*columns)[:most])

    def all(self, *, walk: bool = False) -> Any:
        """Every match that the caller may see."""
        rows = self.rows.for_client(self.client_id).filter(WITH_NOTES if self.notes else COUNTED, self.condition)
        few = self._of_few()
        if few is not None:
            rows = rows.filter(conversation__in=few)
        elif self.caller.sees_whole_client:
            rows = rows.filter(conversation__deleted_at=None)
        else:
            rows = rows.filter(conversation__in=Conversation.objects.visible_to(self.caller).order_by().values("pk"))
        return rows.filter(Matches("search", self.wanted, walk=walk))

    def _of_few(self) -> list[int] | None:
        """The conversations to look in, where they are few or have few messages; None where they are many."""
        if not self._looked:
            self._looked = True
            rows = Conversation.objects.visible_to(self.caller).for_client(self.client_id).order_by()
            if self.conversation_id is not None:
                self._few = list(rows.filter(pk=self.conversation_id).values_list("pk", flat=True))
            elif not self.caller.sees_whole_client:
                found = list(rows.values_list("pk", "last_seq")[: _NAMED + 1])
                if len(found) <= _NAMED and sum(size for _pk, size in found) <= FEW:
                    self._few = [pk for pk, _size in found]
        return self._few
