"""The archive, written piece by piece: neither a long thread nor a large file is ever whole in memory."""

import json
import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.utils import timezone

from chatplatform.errors import NotFound
from clients.models import Contact

from ..files import store
from ..models import Attachment, Upload
from . import rows

logger = logging.getLogger(__name__)
#: Counted up when a program that reads the archive must know of a change.
VERSION = 1
_README = """What is held about one contact, as of the time in manifest.json.

contact.json           the contact
conversations/*.json   each conversation that they take or took part in: participants, tags, states, sessions,
                       events, and its messages in order ("by_contact" says which are theirs)
files/                 the files of those messages, named in their "attachments", and those in no message yet
                       ("files_in_no_message" of the conversation)
manifest.json          counts, and the files that could not be read

Texts are as they were written: show them as text, never as HTML, and never as formulas of a spreadsheet.
"""
_BLOCK = 64 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass
class Exported:
    conversations: int = 0
    messages: int = 0
    files: int = 0


def export_contact(contact: Contact, out: IO[bytes]) -> Exported:
    """Writes the archive to a file that can be written only forwards. Raises NotFound where they are erased."""
    row = Contact.objects.select_related("client").filter(pk=contact.pk, erased_at=None).first()
    if row is None:
        raise NotFound("Contact")
    made, unread = Exported(), []
    at = timezone.now()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr(_entry("README.txt"), _README)
        archive.writestr(_entry("contact.json"), _json(rows.contact(row), indent=2))
        for number, part in enumerate(rows.participations(row), start=1):
            files: list[tuple[str, Upload]] = []
            with archive.open(_entry(f"conversations/{number:05}-{part.conversation.uuid}.json"), "w") as file:
                for piece in _conversation(row, part, files, made):
                    file.write(piece.encode())
            made.conversations += 1
            for path, upload in files:
                if _copy(archive, path, upload):
                    made.files += 1
                else:
                    unread.append(path)
        manifest = {
            "format": "chat-platform-contact", "version": VERSION, "made_at": rows.time(at),
            "client": {"id": str(row.client.uuid), "name": row.client.name}, "contact": row.contact_id,
            **asdict(made), "files_not_readable": unread,
        }  # fmt: skip
        archive.writestr(_entry("manifest.json"), _json(manifest, indent=2))
    return made


def _conversation(row: Contact, part: rows.Part, files: list[tuple[str, Upload]], made: Exported) -> Iterator[str]:
    """One JSON object, its messages a line each."""
    waiting = [(path_of(upload), upload) for upload in rows.waiting_files(row, part)]
    files += waiting
    told = [rows.waiting_file(upload, path) for path, upload in waiting]
    head = _json({**rows.conversation(part.conversation), "files_in_no_message": told})
    yield head[:-1] + ', "messages": ['
    separator = "\n"
    for message, attachments in rows.messages(row, part):
        shown = rows.message(row, message)
        shown["attachments"] = [rows.attachment(one, path_of(one)) for one in attachments]
        files += [(path_of(one), one.upload) for one in attachments if one.upload is not None and rows.has_bytes(one)]
        yield separator + _json(shown)
        separator = ",\n"
        made.messages += 1
    yield "\n]}\n"


def path_of(one: Attachment | Upload) -> str:
    """Within the archive: nothing of a name leads out of its folder, or is hidden there."""
    name = re.sub(r"[^\w.\- ]", "_", one.file_name).strip(" .")[-100:].lstrip(" .")
    return f"files/{one.uuid}/{name or 'file'}"


def _copy(archive: ZipFile, path: str, upload: Upload) -> bool:
    """Whether the store had the bytes."""
    try:
        source = store().open(upload.storage_key)
    except OSError:
        logger.exception("A file could not be read (upload %s)", upload.pk)
        return False
    entry = _entry(path, ZIP_STORED)  # images and sounds are compressed already
    with source, archive.open(entry, "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, _BLOCK)
    return True


def _entry(name: str, how: int = ZIP_DEFLATED) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = how
    entry.external_attr = 0o600 << 16
    return entry


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
