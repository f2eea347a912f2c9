"""Files on their way in: announced, received once, then used by one message."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chatplatform.errors import FileTooLarge, Forbidden, Invalid
from clients.callers import Caller
from conversations.actions import Target, ensure_open, lock

from ..files import LIFETIME, key_of, store
from ..files.content import accepted_type, is_of_type
from ..files.names import UNSAFE
from ..models import Upload

if TYPE_CHECKING:
    from ..files.s3 import S3Store

_WRONG_TYPE = "Its content is of another type."


@transaction.atomic
def announce_upload(*, conversation: Target, by: Caller, file_name: str, content_type: str, size: int) -> Upload:
    """A file that the caller will bring to a conversation that they may write in.

    Raises NotFound, ConversationClosed, Forbidden (no right to write), FileTooLarge, Invalid.
    """
    essence = accepted_type(content_type)
    wrong = {} if essence else {"content_type": ["Files of this type are not accepted."]}
    if UNSAFE.search(file_name):
        wrong["filename"] = ["A file name without path and control characters is required."]
    if size < 1:
        wrong["size"] = ["Must be at least 1."]
    if essence is None or wrong:
        raise Invalid("Validation error", fields=wrong)
    ensure_size(size)
    row = lock(conversation)
    ensure_open(row)
    if getattr(row, "caller_can_write", True) is False:
        raise Forbidden("You may not write here")
    now = timezone.now()
    announced: Upload = Upload.objects.create(
        client_id=row.client_id, conversation=row, created_by_user_id=by.user_id, created_by_token_id=by.token_id,
        file_name=file_name, content_type=essence, size=size, created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
    return announced


def ensure_size(size: int) -> None:
    if size > settings.UPLOAD_LIMIT:
        raise FileTooLarge(f"A file has at most {settings.UPLOAD_LIMIT} bytes")


def receive_upload(upload: Upload, chunks: Iterable[bytes]) -> None:
    """Takes an announced file's bytes, once, before its address expires; what is not as announced is not kept.

    Raises Forbidden (received already, or expired), FileTooLarge, Invalid (too short, or of another type).
    """
    files = store()
    with files.receiving(upload.uuid) as file:
        digest = _write(file, upload, chunks)
        with transaction.atomic():  # of two at once the second waits here, and finds it received
            _received(upload, digest)
            files.keep(file, key_of(upload.uuid), upload.content_type)


def store_upload(
    *, conversation: Target, by: Caller, file_name: str, content_type: str, size: int, chunks: Iterable[bytes]
) -> Upload:
    """Announces and receives a file in one: for whoever holds its bytes already. Call it outside of a
    transaction: bytes may travel to another machine."""
    upload = announce_upload(
        conversation=conversation, by=by, file_name=file_name, content_type=content_type, size=size
    )
    files = store()
    with files.receiving(upload.uuid) as file:
        try:
            digest = _write(file, upload, chunks)
        except (Invalid, FileTooLarge):
            upload.delete()  # nobody has an address to try again
            raise
        files.keep(file, key_of(upload.uuid), upload.content_type)
        _received(upload, digest)
    return upload


def usable_uploads(rows: QuerySet[Upload], file_ids: Iterable[UUID | str]) -> dict[str, Upload]:
    """By their ids, those of `rows` (which the caller may use) that are received and that no message has.

    Where the store takes the bytes itself, this is where they are looked at first.
    """
    waiting = [Upload.State.READY, *([Upload.State.PENDING] if store().signs else [])]  # type: ignore[list-item]
    found = rows.filter(uuid__in=set(file_ids), state__in=waiting, removed_at=None)
    return {str(upload.uuid): upload for upload in found if upload.state == Upload.State.READY or _take_in(upload)}


def _take_in(upload: Upload) -> bool:
    """Checks what arrived at the store's own address, and gives it its place."""
    from ..files.s3 import buffered

    files = cast("S3Store", store())
    arrived = files.arrived(upload.uuid)
    if arrived is not None:
        if arrived.length != upload.size or arrived.content_type != upload.content_type:
            return False
        file = cast("IO[bytes]", buffered(arrived))
        if not is_of_type(file, upload.content_type, upload.size):
            return False
        if files.take_in(arrived, key_of(upload.uuid), upload.content_type):
            now = timezone.now()
            Upload.objects.filter(pk=upload.pk, state=Upload.State.PENDING).update(
                state=Upload.State.READY, storage_key=key_of(upload.uuid), received_at=now
            )
    upload.refresh_from_db()  # another may have taken it in at the same time
    return upload.state == Upload.State.READY


def _write(file: IO[bytes], upload: Upload, chunks: Iterable[bytes]) -> str:
    """The bytes as they come, counted and hashed; answers their digest."""
    digest, size = hashlib.sha256(), 0
    for chunk in _in_time(upload, chunks):
        size += len(chunk)
        if size > upload.size:
            raise FileTooLarge("The file is larger than announced")
        digest.update(chunk)
        file.write(chunk)
    if size < upload.size:
        raise Invalid("Validation error", fields={"size": [f"{upload.size} bytes were announced, {size} came."]})
    if not is_of_type(file, upload.content_type, size):
        raise Invalid("Validation error", fields={"content_type": [_WRONG_TYPE]})
    return digest.hexdigest()


def _in_time(upload: Upload, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if timezone.now() >= upload.expires_at:
            raise Forbidden("This address has expired")
        yield chunk


def _received(upload: Upload, digest: str) -> None:
    now = timezone.now()
    columns = {"state": Upload.State.READY, "storage_key": key_of(upload.uuid), "sha256": digest, "received_at": now}
    waiting = Upload.objects.filter(pk=upload.pk, state=Upload.State.PENDING, expires_at__gt=now)
    if not waiting.update(**columns):
        raise Forbidden("This address was used, or has expired")
    for name, value in columns.items():
        setattr(upload, name, value)
