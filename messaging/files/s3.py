"""Files in S3 or what speaks like it; the addresses that lead to them are the store's own.

Imported only where S3 is set (`STORAGES` in the settings). Bytes arrive beside the store's checked files
and are copied to their place when their id is first used: whoever still has the address can change
nothing then.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils import timezone
from storages.backends.s3 import S3Storage

from chatplatform.errors import StoreAway

from .addresses import LIFETIME
from .names import content_disposition
from .stores import incoming_key

if TYPE_CHECKING:
    from ..models import Upload

_BLOCK = 1024 * 1024
_ABSENT = {"404", "NoSuchKey", "NotFound", "412", "PreconditionFailed", "416", "InvalidRange"}


class S3Store(S3Storage):
    signs = True

    def __init__(self, **options: Any) -> None:
        config = Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            signature_version="s3v4",
            s3={"addressing_style": options.get("addressing_style")},
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 2},
        )
        super().__init__(client_config=config, default_acl=None, file_overwrite=True, querystring_auth=True, **options)

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    # --- addresses ---

    def upload_address(self, upload: "Upload") -> str:
        """Length and type are signed: the store takes no other ones."""
        where = {"Bucket": self.bucket_name, "Key": incoming_key(upload.uuid)}
        what = {"ContentType": upload.content_type, "ContentLength": upload.size}
        seconds = int((upload.expires_at - timezone.now()).total_seconds())
        address: str = self.client.generate_presigned_url(
            "put_object", Params={**where, **what}, ExpiresIn=max(1, seconds), HttpMethod="PUT"
        )
        return address

    def download_address(self, key: str, file_name: str) -> str:
        how = {"ResponseContentDisposition": content_disposition(file_name, ()), "ResponseCacheControl": "no-store"}
        address: str = self.client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket_name, "Key": key, **how},
            ExpiresIn=int(LIFETIME.total_seconds()),
            HttpMethod="GET",
        )
        return address

    # --- in ---

    @contextmanager
    def receiving(self, file_id: UUID) -> Iterator[IO[bytes]]:
        with tempfile.TemporaryFile() as file:
            yield file

    def keep(self, file: IO[bytes], key: str, content_type: str) -> None:
        file.seek(0)
        with _reached():
            self.client.upload_fileobj(file, self.bucket_name, key, ExtraArgs={"ContentType": content_type})

    def arrived(self, file_id: UUID) -> "Arrived | None":
        """What was put at the address that `upload_address` gave, None before that."""
        key = incoming_key(file_id)
        try:
            with _reached():
                head = self.client.head_object(Bucket=self.bucket_name, Key=key)
        except ClientError as error:
            if _is_absent(error):
                return None
            raise
        return Arrived(self, key, head)

    def take_in(self, arrived: "Arrived", key: str, content_type: str) -> bool:
        """Copies what was checked to its place; False where it has been exchanged since."""
        source = {"Bucket": self.bucket_name, "Key": arrived.key}
        try:
            with _reached():
                self.client.copy_object(
                    Bucket=self.bucket_name, Key=key, CopySource=source, CopySourceIfMatch=arrived.etag,
                    ContentType=content_type, MetadataDirective="REPLACE",
                )  # fmt: skip
        except ClientError as error:
            if _is_absent(error):
                return False
            raise
        self.delete(arrived.key)
        return True

    # --- all ---

    def keys(self) -> Iterator[tuple[str, datetime]]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name):
            for found in page.get("Contents", ()):
                yield found["Key"], found["LastModified"]


class Arrived(io.RawIOBase):
    """A file in the store, read by ranges, for as long as it is the same one."""

    def __init__(self, store: S3Store, key: str, head: dict[str, Any]) -> None:
        super().__init__()
        self.key, self.etag, self.length = key, head["ETag"], int(head["ContentLength"])
        self.content_type = str(head.get("ContentType", ""))
        self._store, self._at = store, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self.length)
        if end <= self._at:
            return 0
        with _reached():
            part = self._store.client.get_object(
                Bucket=self._store.bucket_name, Key=self.key, IfMatch=self.etag, Range=f"bytes={self._at}-{end - 1}"
            )["Body"].read()
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def buffered(arrived: Arrived) -> io.BufferedReader:
    return io.BufferedReader(arrived, _BLOCK)


@contextmanager
def _reached() -> Iterator[None]:
    """Raises StoreAway where the store does not answer, or answers that it cannot."""
    try:
        yield
    except (BotoCoreError, S3UploadFailedError) as error:
        raise StoreAway from error
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise StoreAway from error
        raise


def _is_absent(error: ClientError) -> bool:
    return str(error.response.get("Error", {}).get("Code")) in _ABSENT
