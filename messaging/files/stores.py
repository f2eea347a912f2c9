"""What both stores do; which of them it is says `STORAGES` in the settings."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

from django.core.files.storage import storages

if TYPE_CHECKING:
    from ..models import Upload

#: Where bytes lie that nobody has checked yet.
INCOMING = "incoming"


class Store(Protocol):
    """Django's storage API, and what a file on its way in needs."""

    #: Whether the store itself answers the addresses that it signs; else we do.
    signs: bool

    def save(self, name: str, content: Any) -> str: ...
    def open(self, name: str, mode: str = "rb") -> Any: ...
    def delete(self, name: str) -> None: ...
    def exists(self, name: str) -> bool: ...
    def size(self, name: str) -> int: ...

    def receiving(self, file_id: UUID) -> AbstractContextManager[IO[bytes]]:
        """A file to write into and to read again; it is gone at the end unless `keep` gave it its place."""

    def keep(self, file: IO[bytes], key: str, content_type: str) -> None:
        """Puts a received file in its place, where a crash does not lose it any more."""

    def keys(self) -> Iterator[tuple[str, datetime]]:
        """Everything that lies in the store, and since when."""


def store() -> Store:
    return cast(Store, storages["default"])


def key_of(file_id: UUID) -> str:
    """Where a received file lies."""
    return f"{file_id.hex[-2:]}/{file_id.hex}"


def incoming_key(file_id: UUID) -> str:
    return f"{INCOMING}/{file_id.hex}"


def delete_bytes(uploads: "Iterable[Upload]") -> None:
    """For uploads whose rows are gone, once that is committed."""
    files = store()
    for upload in uploads:
        for key in {upload.storage_key or key_of(upload.uuid), incoming_key(upload.uuid)}:
            files.delete(key)
