"""Addresses that carry their own permission, for fifteen minutes. On S3 they are the store's; for the disk
they are ours, signed here and read in `chatplatform/files.py`."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from chatplatform.errors import Forbidden

from .stores import key_of, store

if TYPE_CHECKING:
    from ..models import Upload

LIFETIME = timedelta(minutes=15)
PREFIX = "/files/"
#: What an address says beside the file's id, by what it is for; all of it is signed.
_FIELDS: dict[str, Sequence[str]] = {"GET": ("expires",), "PUT": ("expires", "size", "type")}


def upload_address(upload: "Upload") -> str:
    """Where the bytes of an announced file are put: a path of ours, or a whole address of the store's."""
    files: Any = store()
    if files.signs:
        address: str = files.upload_address(upload)
        return address
    expires = int(upload.expires_at.timestamp())
    return _signed("PUT", upload.uuid, {"expires": str(expires), "size": str(upload.size), "type": upload.content_type})


def download_address(file_id: UUID, file_name: str) -> str:
    """Where the bytes of a file are got, from now on for a quarter of an hour."""
    files: Any = store()
    if files.signs:
        address: str = files.download_address(key_of(file_id), file_name)
        return address
    return _signed("GET", file_id, {"expires": str(int(time.time() + LIFETIME.total_seconds()))})


def ensure_signed(method: str, file_id: str, given: Mapping[str, Sequence[str]]) -> UUID:
    """Raises Forbidden of an address that is not, letter by letter, one of ours, or whose time is over."""
    fields = _FIELDS[method]
    if given.keys() != {*fields, "signature"} or any(len(values) != 1 for values in given.values()):
        raise Forbidden("This address is not signed")
    values = {name: given[name][0] for name in fields}
    signature = _signature(method, file_id, values)
    if not constant_time_compare(signature, given["signature"][0]):
        raise Forbidden("This address is not signed")
    if time.time() >= int(values["expires"]):
        raise Forbidden("This address has expired")
    return UUID(file_id)


def _signed(method: str, file_id: UUID, values: dict[str, str]) -> str:
    query = urlencode({**values, "signature": _signature(method, file_id.hex, values)})
    return f"{PREFIX}{file_id.hex}?{query}"


def _signature(method: str, file_id: str, values: Mapping[str, str]) -> str:
    """Of everything, so that nothing can be exchanged; each part's length keeps it apart from the next."""
    parts = [method, file_id, *(values[name] for name in _FIELDS[method])]
    message = "".join(f"{len(part)}:{part}" for part in parts)
    return salted_hmac("messaging.files", message, algorithm="sha256").hexdigest()
