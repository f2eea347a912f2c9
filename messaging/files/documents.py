"""What is in a zip: a document of Office Open XML or OpenDocument, or just files."""

import zipfile
import zlib
from collections.abc import Callable
from typing import IO

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_END = _END_SIZE + 65_535  # with its comment
#: A directory of a document is small; a larger one is not read, whatever it says it is.
_ENTRIES, _DIRECTORY = 10_000, 2 * 1024 * 1024
_TYPES = "[Content_Types].xml"
_LONGEST_TYPES = 1024 * 1024
#: Programs that a document brings along.
_PROGRAM_TYPES = (b"macroenabled", b"macrosheet", b"vbaproject", b"vbadata", b"activex")
_PROGRAMS = ("vbaproject.bin", "vbadata.xml", "macrosheets/", "activex/", "basic/", "scripts/")

Check = Callable[[IO[bytes], bytes, int], bool]


def is_zip(file: IO[bytes], start: bytes, size: int) -> bool:
    """It begins with a file (or is empty) and ends with its directory."""
    return start.startswith((b"PK\x03\x04", _END)) and _directory(file, size) is not None


def office(folder: str) -> Check:
    def check(file: IO[bytes], start: bytes, size: int) -> bool:
        names = _names(file, start, size)
        if names is None or _TYPES not in names or not any(name.startswith(folder) for name in names):
            return False
        return _types_are_harmless(file)

    return check


def open_document(content_type: str) -> Check:
    """Its type stands first of all, as it is (OpenDocument 1.3, part 2, 3.3)."""
    said = b"mimetype" + content_type.encode()

    def check(file: IO[bytes], start: bytes, size: int) -> bool:
        names = _names(file, start, size)
        return start[30 : 30 + len(said)] == said and names is not None and "content.xml" in names

    return check


def _names(file: IO[bytes], start: bytes, size: int) -> set[str] | None:
    """Of the files within; None of what is no readable zip, or brings programs."""
    directory = _directory(file, size)
    if not start.startswith(b"PK\x03\x04") or directory is None:
        return None
    entries, length = directory
    if entries > _ENTRIES or length > _DIRECTORY:
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            names = {info.filename for info in archive.infolist() if not info.flag_bits & 1}
            encrypted = len(names) < len(archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError, EOFError):
        return None
    brings_programs = any(part in name.lower() for name in names for part in _PROGRAMS)
    return None if encrypted or brings_programs else names


def _types_are_harmless(file: IO[bytes]) -> bool:
    """Whatever its parts are called, their list of types names no programs, and can be read as it stands."""
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if info.filename.lower() == _TYPES.lower():
                    with archive.open(info) as part:
                        data = part.read(_LONGEST_TYPES + 1)
                    said = data.replace(b"\0", b"").lower()  # of UTF-16 too
                    hidden = b"&#" in said or b"<!" in said or len(data) > _LONGEST_TYPES
                    if hidden or any(kind in said for kind in _PROGRAM_TYPES):
                        return False
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError, RuntimeError, EOFError):
        return False
    return True


def _directory(file: IO[bytes], size: int) -> tuple[int, int] | None:
    """How many entries the directory has and how long it is; None where no directory ends the file."""
    length = min(size, _LONGEST_END)
    file.seek(size - length)
    tail = file.read(length)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        return None
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    span = int.from_bytes(tail[at + 12 : at + 16], "little")
    begins = int.from_bytes(tail[at + 16 : at + 20], "little")
    fits = at + _END_SIZE + comment == len(tail) and begins + span == size - length + at
    is_large = entries == 0xFFFF or begins == 0xFFFFFFFF  # zip64 says it elsewhere
    return (entries, span) if fits and not is_large else None
