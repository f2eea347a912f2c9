"""Messages by their words, over the whole history, as one caller sees it (docs/search.md).

Where the caller's conversations have few messages, all of those are looked at, through their own index.
Else the newest of the client are walked. The density of matches there says which costs less: to walk further,
or to look up every match there is in the index of words. Nothing is ever ranked but the newest matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain, islice
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce

from chatplatform.db.textindex import Matches, Rank, Wanted
from clients.callers import Caller
from clients.models import Client
from conversations.models import Conversation

from ..models import Message
from ..querysets import COUNTED, WITH_NOTES
from .query import Parsed

CAP = 10_000
#: Matches among which a search by rank orders; later ones follow by their time. Where the newest RANK_DEPTH
#: messages have at least RANK_LEAST of them, none further back are ranked.
RANKED, RANK_DEPTH, RANK_LEAST = 500, 3_000, 50
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
        parts.append(Part(caller, pk, parsed.words(language), parsed, zone, conversation_id, notes, rows))
    best = list(islice(_merged(parts, RANKED, ranked=True), RANKED)) if by_rank else []
    best.sort(key=lambda row: row[2], reverse=True)
    ids = [row[1] for row in best[offset : offset + limit]]
    if len(ids) < limit:
        first = {row[1] for row in best}
        later = (row[1] for row in _merged(parts, offset + limit) if row[1] not in first)
        ids = list(islice(chain((row[1] for row in best), later), offset, offset + limit))
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
    parsed: Parsed
    time_zone: str
    conversation_id: int | None
    notes: bool
    rows: Any
    _few: list[int] | None = field(default=None, init=False)
    _looked: bool = field(default=False, init=False)
    _density: float = field(default=0.0, init=False)
    #: About how many messages there are, of all clients.
    _all: int = field(default=0, init=False)

    def newest(self, most: int, *, ranked: bool = False) -> list[Any]:
        """The newest `most` matches: time, id and, if `ranked`, rank."""
        if self._of_few() is not None:
            return self._rows(self.all(walk=True), most, ranked)
        found = self._walk(RANK_DEPTH if ranked else FIRST, most, ranked)
        enough = min(RANK_LEAST, most) if ranked else most
        if found is not None and len(found) < enough and self._density:
            further = 1.5 * most / self._density
            if further <= min(self._density * self._all, FAR):
                found = self._walk(int(further), most, ranked)
        if found is None:
            return self._rows(self.all(walk=True), most, ranked)
        return found if len(found) >= enough else self._rows(self.all(), most, ranked)

    def count(self) -> int:
        """No further than CAP + 1."""
        walk = self._of_few() is not None or self._density >= _DENSE
        return int(self.all(walk=walk).order_by()[: CAP + 1].count())

    def _walk(self, depth: int, most: int, ranked: bool) -> list[Any] | None:
        """The matches among the client's newest `depth` messages; None where it has no more than these.

        Between the days that are asked for, if any are.
        """
        newest = Message.objects.for_client(self.client_id).filter(self.parsed.window(self.time_zone))
        edge = newest.order_by("-created_at", "-id").values_list("created_at", "id")[depth : depth + 1]
        [(at, self._all)] = list(edge) or [(None, 0)]
        if at is None:
            return None
        found = self._rows(self.all(walk=True).filter(created_at__gt=at), most, ranked)
        self._density = self._density or len(found) / depth
        return found

    def _rows(self, rows: Any, most: int, ranked: bool) -> list[Any]:
        columns = ["created_at", "pk"]
        if ranked:
            rows = rows.annotate(rank=Rank("search", self.wanted))
            columns.append("rank")
        # An order that no index has: PostgreSQL would walk that of the newest until it has met `most` matches.
        return list(rows.order_by(Coalesce("created_at", "created_at").desc(), "-id").values_list(*columns)[:most])

    def all(self, *, walk: bool = False) -> Any:
        """Every match that the caller may see."""
        shown, condition = WITH_NOTES if self.notes else COUNTED, self.parsed.condition(self.time_zone)
        rows = self.rows.for_client(self.client_id).filter(shown, condition)
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
