"""One run over all policies: batch by batch, each its own transaction."""

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chatplatform.db import textindex
from chatplatform.db.alone import number_of, sole
from chatplatform.db.erased import leave_no_trace
from clients.models import Client

from ..models import Message
from .files import delete_doomed
from .policies import POLICIES, Policy

BATCH = 1000  # rows of a transaction
_NUMBER = number_of("retention")


@dataclass(frozen=True)
class Step:
    """What a batch took (or, of a dry run, what all would)."""

    policy: Policy
    client: Client | None
    gone: Counter[str]


class FilesLeft(Exception):
    def __init__(self, count: int) -> None:
        super().__init__(f"{count} files could not be deleted; the next run tries again")


def due(client: Client | None = None, *, at: datetime | None = None) -> Iterator[Step]:
    """What would go, by client and kind."""
    for policy, owner, moment in _kinds(client, at):
        count = policy.count(policy.due(owner.pk if owner else None, moment))
        if count.total():
            yield Step(policy, owner, count)


def apply(client: Client | None = None, *, at: datetime | None = None) -> Generator[Step]:
    """Removes what is due; files go once their rows have. May be stopped and run again at any point.

    Raises Busy where another runs, FilesLeft at the end where the store did not let go of some files.
    """
    with sole(_NUMBER):
        failed = delete_doomed()
        for policy, owner, moment in _kinds(client, at):
            rows, took = policy.due(owner.pk if owner else None, moment), False
            while gone := _batch(policy, rows):
                took = True
                yield Step(policy, owner, gone)
            if took:
                failed = delete_doomed()
        textindex.merge(Message, "search")
        transaction.on_commit(leave_no_trace)
        if failed:
            raise FilesLeft(failed)


def _batch(policy: Policy, rows: object) -> Counter[str]:
    with transaction.atomic():
        return policy.remove(rows, BATCH)


def _kinds(client: Client | None, at: datetime | None) -> Iterator[tuple[Policy, Client | None, datetime]]:
    at = at or timezone.now()
    for policy in POLICIES:
        if not policy.is_on:
            continue
        if policy.of_client:
            for owner in [client] if client else Client.objects.order_by("pk"):
                yield policy, owner, policy.before(at)
        elif client is None:
            yield policy, None, policy.before(at)
