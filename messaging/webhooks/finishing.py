"""What became of attempts, many in one transaction: between a receiver's answer and our commit a kill makes a
duplicate, so nothing else is done in between."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ..webhook_models import WebhookDelivery, WebhookEndpoint, WebhookLane
from . import queue, statements, telling
from .calling import Outcome
from .claims import Job, firsts_of, latest_begin, lease
from .handing import Render
from .queue import State
from .schedule import delay_after

_IN_A_ROW = 20  # deliveries of a lane, before others of its endpoint have their turn


@transaction.atomic
def finish(results: Sequence[tuple[Job, Outcome]], render: Render, *, go_on: bool = True) -> list[Job]:
    """Writes down outcomes and moves their lanes on. Answers what is to be attempted next. `go_on`: the next delivery
    of a lane is for the caller to attempt; else lanes are left to whoever comes."""
    now = timezone.now()
    concerned = {job.endpoint.pk for job, outcome in results if not outcome.is_taken or job.endpoint.failing_since}
    endpoints = queue.locked_endpoints(concerned) if concerned else {}
    lanes, held = _locked_lanes(results, now)
    deliveries, erased = _locked_deliveries(results)
    results = [(job, outcome) for job, outcome in results if job.delivery.pk in deliveries]
    disabled = _judge(results, endpoints)
    held |= {pk for pk, row in endpoints.items() if row.held_until and row.held_until > now}
    retries: dict[int, datetime] = {}
    for job, outcome in results:
        retry = _settle(deliveries[job.delivery.pk], outcome, is_ours=job.lane in lanes)
        if retry is not None:
            retries[job.lane] = now + timedelta(seconds=retry)
    _save(deliveries.values(), now)
    statements.note.many([
        _attempt(job.delivery.pk, outcome, was_erased=job.delivery.pk in erased) for job, outcome in results
    ])  # fmt: skip
    for endpoint in disabled:
        queue.set_all_aside(endpoint.pk)
        telling.enqueue(endpoint)
    out = {endpoint.pk for endpoint in disabled}
    left = {pk: lane for pk, lane in lanes.items() if lane.endpoint_id not in out}
    for pk in left.keys() & retries.keys():
        statements.wait(pk=pk, due_at=retries[pk])
    moving = [(job, left[job.lane]) for job, _ in results if job.lane in left and job.lane not in retries]
    waiting = {pk for pk, lane in left.items() if lane.endpoint_id in held or not go_on}
    return _move_on(moving, now, endpoints, render, held=waiting)


def _locked_lanes(results: Sequence[tuple[Job, Outcome]], now: datetime) -> tuple[dict[int, WebhookLane], set[int]]:
    """Those that nobody else has taken over; and which endpoints are held."""
    claims = {job.lane: job.claim for job, _ in results}
    rows = statements.locked_lanes.all("held", lanes=claims)
    held = {row.endpoint_id for row in rows if row.held and row.held > now}
    return {row.pk: row for row in rows if row.claim == claims[row.pk]}, held


def _locked_deliveries(results: Sequence[tuple[Job, Outcome]]) -> tuple[dict[int, WebhookDelivery], set[int]]:
    """And which of them were erased meanwhile."""
    rows = statements.locked_deliveries.all("was_erased", deliveries=[job.delivery.pk for job, _ in results])
    return {row.pk: row for row in rows}, {row.pk for row in rows if row.was_erased}


def _settle(row: WebhookDelivery, outcome: Outcome, *, is_ours: bool) -> float | None:
    """Answers in how many seconds it is attempted again, None for never."""
    row.attempt_count += 1
    now = timezone.now()
    if outcome.is_taken:
        row.state, row.finished_at = State.DELIVERED, now
        return None
    if row.state != State.PENDING or not is_ours:
        return None  # another worker's affair, or nobody's any more
    delay = delay_after(row.attempt_count, outcome.asked_delay)
    if delay is None:
        row.state, row.finished_at = State.SET_ASIDE, now
    return delay


def _save(rows: Iterable[WebhookDelivery], now: datetime) -> None:
    if taken := [row.pk for row in rows if row.state == State.DELIVERED]:
        statements.took(deliveries=taken, at=now)
    for row in rows:
        if row.state != State.DELIVERED:
            statements.settle(
                pk=row.pk, state=row.state, finished_at=row.finished_at, attempt_count=row.attempt_count
            )  # fmt: skip


def _judge(results: Sequence[tuple[Job, Outcome]], endpoints: dict[int, WebhookEndpoint]) -> list[WebhookEndpoint]:
    """Since when endpoints fail; puts those out of service that are gone, or have failed for too long."""
    by_endpoint: dict[int, list[Outcome]] = defaultdict(list)
    for job, outcome in results:
        by_endpoint[job.endpoint.pk].append(outcome)
    disabled = []
    longest = timedelta(days=settings.WEBHOOK_DISABLE_DAYS)
    for pk, row in endpoints.items():
        before = (row.failing_since, row.disabled, row.held_until)
        outcomes = by_endpoint[pk]
        taken = any(outcome.is_taken for outcome in outcomes)
        if taken:
            row.failing_since = None
        elif outcomes and row.failing_since is None:
            row.failing_since = min(outcome.at for outcome in outcomes)
        if row.is_enabled and any(outcome.is_gone for outcome in outcomes):
            row.disabled = WebhookEndpoint.Disabled.GONE
        elif row.is_enabled and longest and row.failing_since and timezone.now() - row.failing_since >= longest:
            row.disabled = WebhookEndpoint.Disabled.FAILING
        asked = [outcome.at + timedelta(seconds=outcome.asked_hold) for outcome in outcomes if outcome.asked_hold]
        row.held_until = max([*asked, *([row.held_until] if row.held_until else [])], default=None)
        if before[1] != row.disabled:
            row.disabled_at = timezone.now()
            disabled.append(row)
        if before != (row.failing_since, row.disabled, row.held_until):
            row.save(update_fields=["failing_since", "disabled", "disabled_at", "held_until"])
    return disabled


def _move_on(
    moving: Sequence[tuple[Job, WebhookLane]],
    now: datetime,
    endpoints: dict[int, WebhookEndpoint],
    render: Render,
    *,
    held: Collection[int],
) -> list[Job]:
    """Lanes whose first delivery is over: on to the next, or dropped when there is none. `held` ones are left to
    whoever comes."""
    if not moving:
        return []
    firsts, later = firsts_of([lane for _, lane in moving], render)
    if empty := [lane.pk for _, lane in moving if lane.pk not in firsts and lane.pk not in later]:
        statements.drop(lanes=empty)
    until, extended = now + lease(), latest_begin()
    jobs, released, old = [], list(later), []
    for job, lane in moving:
        if lane.pk not in firsts:
            continue
        if lane.pk in held or job.turn >= _IN_A_ROW:
            released.append(lane.pk)
            continue
        begin_until = job.begin_until
        if extended - begin_until > settings.WEBHOOK_TIMEOUT / 5:  # not at every turn: it is a write
            old.append(lane.pk)
            begin_until = extended
        endpoint, first = endpoints.get(job.endpoint.pk, job.endpoint), firsts[lane.pk]
        jobs.append(replace(job, endpoint=endpoint, delivery=first, turn=job.turn + 1, begin_until=begin_until))
    if released:
        statements.release(lanes=released, now=now)
    if old:
        statements.extend(lanes=old, until=until)
    return jobs


def _attempt(delivery: int, outcome: Outcome, *, was_erased: bool) -> dict[str, Any]:
    """`was_erased`: while the receiver answered, and it may have said what it was told."""
    return {
        "delivery_id": delivery,
        "at": outcome.at,
        "duration": outcome.milliseconds,
        "status": outcome.status,
        "error": outcome.error,
        "request_headers": outcome.request_head,
        "response_headers": {} if was_erased else outcome.response_head,
        "response_body": "" if was_erased else outcome.response_body,
    }
