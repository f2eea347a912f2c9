"""What was brought and never used, and what a crash left behind, goes: rows first, then their bytes."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chatplatform.db.batches import batched

from .files import delete_bytes, store
from .files.stores import INCOMING, incoming_key
from .models import Upload

#: How long a file waits for a message after its address has ended.
UNUSED = timedelta(hours=24)
#: Nothing that is still being written is older: an address ends after a quarter of an hour.
IN_FLIGHT = timedelta(hours=1)
_BATCH = 500
#: Ours alone; whatever else lies in the folder or bucket stays.
_KEY = re.compile(rf"(?:[0-9a-f]{{2}}|{INCOMING})/([0-9a-f]{{32}})(?:\.[0-9a-f]{{16}})?")

Kind = Literal["unused", "without bytes", "orphan"]


def sweep_uploads(*, dry_run: bool = False) -> Iterator[tuple[Kind, list[str]]]:
    """Batch by batch what went (or would go) and why; each batch is whole by itself."""
    now = timezone.now()
    unused = Upload.objects.exclude(state=Upload.State.USED).filter(expires_at__lt=now - UNUSED)
    for rows in _batches_of(unused):
        if gone := _remove(unused, rows, dry_run=dry_run):
            yield "unused", gone
    received = Upload.objects.filter(state=Upload.State.READY, received_at__lt=now - IN_FLIGHT, removed_at=None)
    for rows in _batches_of(received):
        lost = [row for row in rows if not store().exists(row.storage_key)]
        if gone := _remove(received, lost, dry_run=dry_run):
            yield "without bytes", gone
    for keys in batched(_left_behind(now - IN_FLIGHT), _BATCH):
        if gone := _orphans(keys):
            for key in gone if not dry_run else ():
                store().delete(key)
            yield "orphan", gone


def _batches_of(rows: QuerySet[Upload]) -> Iterator[list[Upload]]:
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk")[:_BATCH]):
        yield batch
        after = batch[-1].pk


def _remove(rows: QuerySet[Upload], found: list[Upload], *, dry_run: bool) -> list[str]:
    """Of those found, the ones that are still so under their locks: a message may take one meanwhile."""
    if dry_run or not found:
        return [str(upload.uuid) for upload in found]
    with transaction.atomic():
        still = list(rows.filter(pk__in=[upload.pk for upload in found]).order_by("pk").select_for_update())
        Upload.objects.filter(pk__in=[upload.pk for upload in still]).delete()
    delete_bytes(still)
    return [str(upload.uuid) for upload in still]


def _left_behind(before: datetime) -> Iterator[str]:
    for key, since in store().keys():
        if since < before and _KEY.fullmatch(key):
            yield key


def _orphans(keys: list[str]) -> list[str]:
    """The keys that no row names."""
    of_key = {key: UUID(key.partition("/")[2][:32]) for key in keys}
    rows = Upload.objects.filter(uuid__in=of_key.values(), removed_at=None).values_list("uuid", "state", "storage_key")
    named = set()
    for uuid, state, key in rows:
        named.add(incoming_key(uuid) if state == Upload.State.PENDING else key)
    return [key for key in keys if key not in named]
