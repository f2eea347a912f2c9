"""Which files an address of ours leads to. Whoever holds one was allowed to see the file when it was made;
what has been deleted since is not served any more."""

from dataclasses import dataclass
from typing import IO
from uuid import UUID

from chatplatform.errors import Forbidden, NotFound

from .files import store
from .models import Attachment, Upload


@dataclass(frozen=True, slots=True)
class ServedFile:
    name: str
    content_type: str
    size: int
    sha256: str
    key: str

    def open(self) -> IO[bytes]:
        """Raises NotFound where the bytes went at this moment."""
        try:
            file: IO[bytes] = store().open(self.key)
        except FileNotFoundError as error:
            raise NotFound("File") from error
        return file


def announced(file_id: UUID) -> Upload:
    """The file whose bytes are still to come. Raises Forbidden where they came, or it was swept."""
    waiting = Upload.objects.filter(uuid=file_id, state=Upload.State.PENDING, conversation__deleted_at=None)
    upload: Upload | None = waiting.first()
    if upload is None:
        raise Forbidden("This address was used")
    return upload


def served(file_id: UUID) -> ServedFile:
    """A file of a message that is there. Raises NotFound."""
    shown = Attachment.objects.filter(
        upload__uuid=file_id, upload__removed_at=None, message__deleted_at=None, message__conversation__deleted_at=None
    )
    columns = ("file_name", "file_type", "upload__size", "upload__sha256", "upload__storage_key")
    found = shown.values_list(*columns).first()
    if found is None:
        raise NotFound("File")
    return ServedFile(*found)
