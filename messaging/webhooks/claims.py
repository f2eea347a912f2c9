"""Which worker attempts what. A lane is claimed for a while; whoever is killed loses it when that is over, and
another worker goes on there. Written so that it is right where SKIP LOCKED does not exist (SQLite): the claim
itself is an UPDATE with its condition."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from conversations.feed import COLUMNS
from conversations.models import Event

from ..webhook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from . import statements
from .erasing import may_make_bodies
from .handing import Render, bodies_of
from .queue import State

PER_ENDPOINT = 16  # attempts of a worker at the same time
PER_CLIENT = 64
IN_ALL = 512
LATER = timedelta(seconds=0.2)  # before a lane that has to wait for an erasure is looked at again
_LOOKS = 20  # pages of lanes of a claim


@dataclass(frozen=True)
class Job:
    """A delivery that is to be attempted now."""

    lane: int
    claim: UUID
    endpoint: WebhookEndpoint
    delivery: WebhookDelivery
    #: By the monotonic clock: an attempt that begins later might run beside one of another worker.
    begin_until: float
    turn: int = 1  # the how manieth in a row of this lane


@dataclass
class Room:
    """What a worker has under way, by endpoint and client."""

    endpoints: Counter[int] = field(default_factory=Counter)
    clients: Counter[int] = field(default_factory=Counter)

    def enter(self, endpoint: int, client: int) -> bool:
        if not self.free or self.endpoints[endpoint] >= PER_ENDPOINT or self.clients[client] >= PER_CLIENT:
            return False
        self.endpoints[endpoint] += 1
        self.clients[client] += 1
        return True

    def leave(self, endpoint: int, client: int) -> None:
        self.endpoints[endpoint] -= 1
        self.clients[client] -= 1

    @property
    def free(self) -> int:
        return IN_ALL - self.endpoints.total()

    def full_endpoints(self) -> list[int]:
        return [pk for pk, count in self.endpoints.items() if count >= PER_ENDPOINT]

    def full_clients(self) -> list[int]:
        return [pk for pk, count in self.clients.items() if count >= PER_CLIENT]


def lease() -> timedelta:
    """How long a claim holds: three attempts."""
    return timedelta(seconds=3 * settings.WEBHOOK_TIMEOUT)


def claim(room: Room, render: Render) -> list[Job]:
    """Lanes that are due, the longest waiting first, as many as there is room for."""
    jobs: list[Job] = []
    for _ in range(_LOOKS):
        where = {"endpoints": room.full_endpoints(), "clients": room.full_clients()}
        # A look takes no lock, and mostly finds nothing.
        if room.free <= 0 or not statements.is_due.tuples(now=timezone.now(), **where, limit=1, offset=0):
            break
        with transaction.atomic():
            lanes = statements.due.all(now=timezone.now(), **where)
            endpoints = endpoints_of(lanes)
            mine = [lane for lane in lanes if room.enter(lane.endpoint_id, endpoints[lane.endpoint_id].client_id)]
            try:
                got = _claimed(mine, endpoints, render)
            except BaseException:
                for lane in mine:
                    room.leave(lane.endpoint_id, endpoints[lane.endpoint_id].client_id)
                raise
        taken = {job.lane for job in got}
        for lane in mine:
            if lane.pk not in taken:
                room.leave(lane.endpoint_id, endpoints[lane.endpoint_id].client_id)
        jobs += got
        if len(lanes) < statements.DUE:
            break
    return jobs


def endpoints_of(lanes: Iterable[WebhookLane]) -> dict[int, WebhookEndpoint]:
    pks = {lane.endpoint_id for lane in lanes}
    return {row.pk: row for row in statements.endpoints.all(endpoints=pks)} if pks else {}


def _claimed(lanes: Sequence[WebhookLane], endpoints: dict[int, WebhookEndpoint], render: Render) -> list[Job]:
    claim, pks = uuid4(), [lane.pk for lane in lanes]
    if not pks:
        return []
    statements.claim(lanes=pks, claim=claim, until=timezone.now() + lease())
    firsts, later = firsts_of(lanes, render)
    if empty := [pk for pk in pks if pk not in firsts and pk not in later]:
        statements.drop(lanes=empty)
    if later:
        statements.release(lanes=later, now=timezone.now() + LATER)
    begin_until = latest_begin()
    return [
        Job(lane.pk, claim, endpoints[lane.endpoint_id], firsts[lane.pk], begin_until)
        for lane in lanes
        if lane.pk in firsts
    ]


def latest_begin() -> float:
    return time.monotonic() + lease().total_seconds() - 1.5 * settings.WEBHOOK_TIMEOUT


def firsts_of(lanes: Iterable[WebhookLane], render: Render) -> tuple[dict[int, WebhookDelivery], set[int]]:
    """The delivery that is next in each of these, which are locked; none for those that are empty. Blank bodies
    are made; where what they told of is gone, the delivery is set aside. And the lanes whose next body must wait
    for somebody's data to be erased."""
    found: dict[int, WebhookDelivery] = {}
    looking = list(lanes)
    while looking:
        firsts = _firsts(looking)
        blank = [row for row in firsts.values() if not row.body]
        if blank and not may_make_bodies():
            found |= {pk: row for pk, row in firsts.items() if row.body}
            return found, {pk for pk, row in firsts.items() if not row.body}
        if blank:
            _fill(blank, render)
        done = {pk: row for pk, row in firsts.items() if row.body}
        found |= done
        looking = [lane for lane in looking if lane.pk in firsts and lane.pk not in done]
    return found, set()


def _firsts(lanes: Sequence[WebhookLane]) -> dict[int, WebhookDelivery]:
    places = {(lane.endpoint_id, lane.conversation_id): lane.pk for lane in lanes}
    found: dict[int, WebhookDelivery] = {}
    for first, some in (
        (statements.firsts, [lane.pk for lane in lanes if lane.conversation_id]),
        (statements.firsts_of_none, [lane.pk for lane in lanes if not lane.conversation_id]),
    ):
        if some:
            rows = first.all(lanes=some)
            found |= {places[row.endpoint_id, row.conversation_id or 0]: row for row in rows}
    return found


def _fill(rows: Sequence[WebhookDelivery], render: Render) -> None:
    """Blank bodies are made anew and kept; a delivery without one is over."""
    ids = [row.event_id for row in rows if row.event_id]
    bodies = bodies_of(list(Event.objects.filter(pk__in=ids).order_by("pk").values(*COLUMNS)), render)  # type: ignore[arg-type]
    for row in rows:
        row.body = bodies.get(row.event_id or 0, "")
    now = timezone.now()
    gone = [row for row in rows if not row.body]
    for row in gone:
        row.state, row.finished_at = State.SET_ASIDE, now
    WebhookDelivery.objects.bulk_update(rows, ["body", "state", "finished_at"])
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(delivery=row, at=now, duration=0, error="not sent: what it told of is gone") for row in gone
    )


def give_back(jobs: Iterable[Job]) -> None:
    """What was claimed and not begun."""
    for job in jobs:
        WebhookLane.objects.filter(pk=job.lane, claim=job.claim).update(claim=None, claimed_until=None)
