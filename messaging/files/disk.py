"""Files on the local disk; the addresses that lead to them are ours (`chatplatform/files.py`)."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from django.core.files.storage import FileSystemStorage

from .stores import incoming_key


class DiskStore(FileSystemStorage):
    signs = False

    @contextmanager
    def receiving(self, file_id: UUID) -> Iterator[IO[bytes]]:
        """Each attempt writes a file of its own: two at once do not mix."""
        path = Path(self.path(f"{incoming_key(file_id)}.{secrets.token_hex(8)}"))
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x+b") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def keep(self, file: IO[bytes], key: str, content_type: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        path = Path(self.path(key))
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(file.name).replace(path)
        for folder in (path.parent, path.parent.parent):
            _settle(folder)

    def keys(self) -> Iterator[tuple[str, datetime]]:
        root = Path(self.location)
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                try:
                    modified = path.stat().st_mtime
                except FileNotFoundError:  # gone since it was listed
                    continue
                yield path.relative_to(root).as_posix(), datetime.fromtimestamp(modified, UTC)


def _settle(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
