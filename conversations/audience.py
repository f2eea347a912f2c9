"""Who may be told of an event: whoever sees its conversation now (`visible_to`), and whoever was just
removed from it, of that alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from clients.callers import Caller

from .events import Kind
from .feed import COLUMNS, Told
from .models import Conversation, Event, Participant
from .visible import kind_of

Ids = frozenset[int]
_NONE: Ids = frozenset()


def seen_by_each(callers: Iterable[Caller], events: Sequence[Told]) -> dict[Caller, Ids]:
    """For each caller the ids of the events that they may be told of; few queries, however many end users
    there are. Callers with a view of their own (agents with queues) cost a query each."""
    of_client: dict[int | None, list[Told]] = defaultdict(list)
    for event in events:
        of_client[event["client_id"]].append(event)
    found: dict[Caller, Ids] = {}
    shared: dict[Any, Ids] = {}
    own: Mapping[int, Ids] | None = None
    for caller in callers:
        kind = kind_of(caller)
        if kind != "all" and caller.client_id not in of_client:
            continue
        if kind == "own":
            own = _seen_by_users(events) if own is None else own
            of_own_client = {event["id"] for event in of_client[caller.client_id]}
            found[caller] = own.get(caller.user_id or 0, _NONE) & of_own_client
            continue
        key = (kind, caller.client_id) if kind else caller
        if key not in shared:
            shared[key] = seen_by(caller, events if kind == "all" else of_client[caller.client_id])
        found[caller] = shared[key]
    return {caller: ids for caller, ids in found.items() if ids}


def seen_by(caller: Caller, events: Sequence[Told]) -> Ids:
    """The ids of the events that one caller may be told of."""
    seen: set[int] = set()
    for deleted, some in _by_deletion(events):
        rows = Conversation.objects.visible_to(caller, deleted=deleted)
        wanted = {event["conversation_id"] for event in some}
        visible = set(rows.filter(pk__in=wanted).order_by().values_list("pk", flat=True))
        seen.update(event["id"] for event in some if event["conversation_id"] in visible)
    if caller.user_id is not None and not caller.sees_whole_client:
        seen.update(_removals(events).get(caller.user_id, ()))
    return frozenset(seen)


def missed(caller: Caller, *, after: int, upto: int, limit: int) -> tuple[list[Told], int]:
    """Of the log between two ids the next events that the caller may be told of, and up to which id that is
    all; at most `limit` are looked at. Up to `upto` the log must be settled (`Feed.position`)."""
    rows = Event.objects.filter(pk__gt=after, pk__lte=upto)
    if not caller.is_superuser or caller.only_own:
        rows = rows.for_client(caller.client_id)
    if kind_of(caller) == "own":  # not the rule, but most of what it would leave out
        theirs = Participant.objects.filter(user=caller.user_id)
        rows = rows.filter(conversation__in=theirs.values("conversation"))
    found: list[Any] = list(rows.order_by("pk").values(*COLUMNS)[:limit])
    told: list[Told] = [row for row in found if not row["data"].get("imported")]
    seen = seen_by(caller, told)
    return [row for row in told if row["id"] in seen], found[-1]["id"] if len(found) == limit else upto


def _seen_by_users(events: Sequence[Told]) -> dict[int, Ids]:
    """By user, for those who see what they take part in: the rule, asked for all of them at once."""
    seen: dict[int, set[int]] = defaultdict(set)
    each = Caller(client_id=OuterRef("user__client"), user_id=OuterRef("user"))  # type: ignore[arg-type]
    for deleted, some in _by_deletion(events):
        of: dict[int, list[int]] = defaultdict(list)
        for event in some:
            of[event["conversation_id"]].append(event["id"])
        rule = Conversation.objects.visible_to(each, deleted=deleted).filter(pk=OuterRef("conversation"))
        people = Participant.objects.filter(conversation__in=of, user__isnull=False).filter(Exists(rule))
        for user, conversation in people.order_by().values_list("user", "conversation"):
            seen[user].update(of[conversation])
    for user, ids in _removals(events).items():
        seen[user].update(ids)
    return {user: frozenset(ids) for user, ids in seen.items()}


def _by_deletion(events: Sequence[Told]) -> list[tuple[bool, list[Told]]]:
    """That it is deleted is told of what is deleted, everything else of what is not."""
    gone = [event for event in events if event["kind"] == Kind.DELETED]
    here = [event for event in events if event["kind"] != Kind.DELETED]
    return [(deleted, some) for deleted, some in ((False, here), (True, gone)) if some]


def _removals(events: Sequence[Told]) -> dict[int, list[int]]:
    """By user, the events that tell of their own removal."""
    named = {UUID(event["data"]["participant"]): event for event in events if event["kind"] == Kind.PARTICIPANT_REMOVED}
    if not named:
        return {}
    found: dict[int, list[int]] = defaultdict(list)
    people = Participant.objects.filter(uuid__in=named).values_list("uuid", "conversation", "user", "agent__user")
    for uuid, conversation, *users in people:
        for user in users:
            if user is not None and named[uuid]["conversation_id"] == conversation:
                found[user].append(named[uuid]["id"])
    return found
