"""Bytes of files that go: first the mark, with the rows; then the bytes; then the mark."""

import logging
from collections.abc import Iterable

from ..files import key_of, store
from ..files.stores import incoming_key
from ..models import DoomedFile, Upload

logger = logging.getLogger(__name__)
_BATCH = 500


def doom(uploads: Iterable[Upload]) -> int:
    """In the transaction in which their rows go. Answers how many marks were made, at most two a file."""
    marks = [DoomedFile(storage_key=key) for upload in uploads for key in _keys(upload)]
    DoomedFile.objects.bulk_create(marks, ignore_conflicts=True)
    return len(marks)


def _keys(upload: Upload) -> Iterable[str]:
    yield upload.storage_key or key_of(upload.uuid)
    if upload.state != Upload.State.USED:
        yield incoming_key(upload.uuid)  # what was brought, and nobody has looked at


def delete_doomed() -> int:
    """Outside of any transaction: a store may be slow. Answers how many it did not let go of; those stay
    marked, and the next run tries again."""
    files = store()
    failed = after = 0
    while batch := list(DoomedFile.objects.filter(pk__gt=after).order_by("pk")[:_BATCH]):
        done = []
        for row in batch:
            try:
                files.delete(row.storage_key)
            except Exception:  # each store has its own; the others' bytes go all the same
                logger.exception("A file could not be deleted (mark %s)", row.pk)
                failed += 1
            else:
                done.append(row.pk)
        DoomedFile.objects.filter(pk__in=done).delete()
        after = batch[-1].pk
    return failed
