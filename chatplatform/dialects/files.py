"""Files as dialects show them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from messaging.files import download_address
from messaging.windows import attachments_of

#: The address of a file of ours, by its id and name.
FileUrl = Callable[[UUID, str], str]


def public_url(file_id: UUID, name: str) -> str:
    """A FileUrl where no request says what this server is called by: PUBLIC_URL does."""
    address = download_address(file_id, name)
    return f"{settings.PUBLIC_URL}{address}" if address.startswith("/") else address


def files_of(message_ids: Sequence[int], file_url: FileUrl) -> dict[int, list[dict[str, Any]]]:
    """The files of these messages (`windows.FILE`), each with an address, None where it was removed."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for file in attachments_of(message_ids):
        url = file["url"]
        if file["upload__uuid"] is not None:
            url = None if file["upload__removed_at"] else file_url(file["upload__uuid"], file["file_name"])
        found[file["message_id"]].append({**file, "url": url})
    return found
