"""A write that comes again with the same Idempotency-Key is done once (contracts, README).

One transaction holds the key, whatever the write does, and its answer: either all of it is there, or
nothing is and the next try begins anew.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from chatplatform.db.alone import Busy, alone, number_of
from chatplatform.db.prepared import Insert, Param, Rows
from chatplatform.errors import KeyInUse, KeyReused

from .models import IdempotencyKey
from .models.people import MAX_TIMEOUT
from .tokens import digest

LIFETIME = timedelta(hours=24)
#: The status of a key whose request runs in transactions of its own, and how long one may.
_RUNNING = 0
_LONGEST = timedelta(seconds=MAX_TIMEOUT + 30)
#: How many expired answers a new one takes along: more than one, so that they come to an end.
_BATCH = 10

_find = Rows(
    lambda: IdempotencyKey.objects.filter(
        caller=Param("caller", models.CharField()), digest=Param("digest", models.CharField())
    ).values("id", "fingerprint", "status", "body", "created_at")
)
_insert = Insert(IdempotencyKey)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success as it was sent."""

    status: int
    body: bytes


def answer_once(
    *, caller: str, key: str, fingerprint: str, transaction: AbstractContextManager[None], act: Callable[[], Answer]
) -> Answer:
    """What `act` answers, or answered within the last 24 hours to the same caller, key and fingerprint.

    `act` runs in `transaction`; what it raises rolls everything back, and nothing is kept. Raises
    KeyInUse while another runs, KeyReused where the fingerprint is another.
    """
    name = digest(key)
    try:
        with alone(number_of(caller, name), transaction):
            if kept := _kept(caller, name, fingerprint):
                return kept
            answer = act()
            _insert(
                caller=caller, digest=name, fingerprint=fingerprint, status=answer.status, body=answer.body,
                created_at=timezone.now(),
            )  # fmt: skip
            delete_expired(_BATCH)
            return answer
    except Busy as error:
        raise KeyInUse from error


def answer_apart(*, caller: str, key: str, fingerprint: str, act: Callable[[], Answer]) -> Answer:
    """The same for an `act` of several transactions, some of which stay where it fails: a row says meanwhile that it
    runs. Where the process is killed, the next try begins anew once that row is too old."""
    name = digest(key)
    try:
        with alone(number_of(caller, name), transaction.atomic()):
            if kept := _kept(caller, name, fingerprint):
                return kept
            running = _insert(
                caller=caller, digest=name, fingerprint=fingerprint, status=_RUNNING, body=b"",
                created_at=timezone.now(),
            )  # fmt: skip
            delete_expired(_BATCH)
    except Busy as error:
        raise KeyInUse from error
    row = IdempotencyKey.objects.filter(pk=running)
    try:
        answer = act()
        row.update(status=answer.status, body=answer.body, created_at=timezone.now())
    except BaseException:
        row.delete()
        raise
    return answer


def _kept(caller: str, name: str, fingerprint: str) -> Answer | None:
    for row in _find.dicts(caller=caller, digest=name):
        lasts = _LONGEST if row["status"] == _RUNNING else LIFETIME
        if row["created_at"] <= timezone.now() - lasts:
            IdempotencyKey.objects.filter(pk=row["id"]).delete()
        elif row["fingerprint"] != fingerprint:
            raise KeyReused
        elif row["status"] == _RUNNING:
            raise KeyInUse
        else:
            return Answer(row["status"], bytes(row["body"]))
    return None


def delete_expired(at_most: int) -> int:
    """The oldest first; those that another transaction deletes just now are left to it."""
    expired = IdempotencyKey.objects.filter(created_at__lte=timezone.now() - LIFETIME).order_by("created_at")
    doomed = expired.select_for_update(skip_locked=True).values("pk")[:at_most]
    count, _ = IdempotencyKey.objects.filter(pk__in=doomed).delete()
    return count
