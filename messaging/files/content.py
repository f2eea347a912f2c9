"""Which files are accepted, judged by what is in them (contract `behaviour.md`, "Uploads").

Whoever announces a file says its type; its bytes must be of that type. Pages that a browser would run
(HTML, SVG) are of none.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import filetype

from . import documents

_BEGINNING = 8192
_CHUNK = 256 * 1024
#: How a page begins, for a browser that ignores our headers and looks.
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|!--|\?php|\?xml"
    rb"|(?:html|head|body|script|svg|iframe|object|embed|img|meta|link|style|title)\b)",
    re.IGNORECASE,
)
#: What is read as text but is for another program.
_FOR_PROGRAMS = (b"%PDF", b"%!PS", b"MZ", b"{\\rtf")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
#: Some programs put an empty line or a byte-order mark in front.
_PDF = re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-[^\r\n]*")
_FRAME = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x00-\xef]")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{\"\-0-9tfn]")


@dataclass(frozen=True)
class Kind:
    #: The first ending is the one that a name without any gets.
    endings: tuple[str, ...]
    check: Callable[[IO[bytes], bytes, int], bool]


def _found(*mimes: str, and_: Callable[[bytes, int], bool] = lambda start, size: True) -> Callable[..., bool]:
    """What the library finds is one of these. Within, pictures and sound may tell of themselves in XML."""

    def check(file: IO[bytes], start: bytes, size: int) -> bool:
        guess = filetype.guess(start)
        return guess is not None and guess.mime in mimes and and_(start, size)

    return check


def _is_png(start: bytes, size: int) -> bool:
    return start[8:16] == b"\0\0\0\rIHDR" and size >= 57


def _is_jpeg(start: bytes, size: int) -> bool:
    return start[3:4] != b"" and start[3] >= 0xC0


def _is_gif(start: bytes, size: int) -> bool:
    """After the screen and its colours stands a block of a known kind."""
    if len(start) < 14:
        return False
    colours = 3 << ((start[10] & 7) + 1) if start[10] & 0x80 else 0
    return start[13 + colours : 14 + colours] in (b"!", b",", b";")


def _is_wave(start: bytes, size: int) -> bool:
    """Whoever records into a stream does not know its length."""
    return start[4:8] in (b"\0\0\0\0", b"\xff\xff\xff\xff") and start[12:16].strip().isalnum() or _is_riff(start, size)


def _is_riff(start: bytes, size: int) -> bool:
    """Its own length is that of the file, but for a byte that evens it."""
    return 0 <= size - 8 - int.from_bytes(start[4:8], "little") <= 1


def _brands(*wanted: bytes) -> Callable[[IO[bytes], bytes, int], bool]:
    """An ISO media file of one of these brands, its own or one that it is compatible with."""

    def check(file: IO[bytes], start: bytes, size: int) -> bool:
        length = int.from_bytes(start[:4], "big")
        brands = [start[8:12], *(start[at : at + 4] for at in range(16, min(length, 256), 4))]
        known = any(brand.startswith(wanted) for brand in brands)
        return start[4:8] == b"ftyp" and 16 <= length <= size and known and not _PAGE.match(start, length)

    return check


def _is_webm(start: bytes, size: int) -> bool:
    return b"webm" in start[:64]


def _text(file: IO[bytes], start: bytes, size: int) -> bool:
    """UTF-8 all through, without control characters, and nothing that begins like something else; it may be
    about pages."""
    if _PAGE.match(start) or start.startswith(_FOR_PROGRAMS):
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            if _CONTROL.search(chunk):
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _json(file: IO[bytes], start: bytes, size: int) -> bool:
    return _JSON.match(start) is not None and _text(file, start, size)


def _pdf(file: IO[bytes], start: bytes, size: int) -> bool:
    head = _PDF.match(start[:1024])
    file.seek(max(0, size - 2048))
    return head is not None and not _PAGE.match(start, head.end()) and b"%%EOF" in file.read(2048)


def _mpeg(file: IO[bytes], start: bytes, size: int) -> bool:
    """A frame of layer III, of MPEG 1, 2 or 2.5; or a tag in front of frames."""
    if not start.startswith(b"ID3"):
        return _FRAME.match(start) is not None
    length = 0
    for byte in start[6:10]:  # seven bits each
        length = length << 7 | byte & 0x7F
    file.seek(10 + length)
    return not _PAGE.match(file.read(64))


_DOCUMENT_TYPES = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_mp3 = Kind((".mp3",), _mpeg)
_ogg = Kind((".ogg", ".oga", ".opus"), _found("audio/ogg"))
_m4a = Kind((".m4a", ".mp4"), _brands(b"M4A", b"M4B", b"mp4", b"isom", b"iso2", b"dash"))
_wav = Kind((".wav",), _found("audio/x-wav", "audio/wav", and_=_is_wave))
_jpeg = Kind((".jpg", ".jpeg", ".jfif"), _found("image/jpeg", and_=_is_jpeg))
_webm = Kind((".webm",), _found("video/webm", and_=_is_webm))
_zip = Kind((".zip",), documents.is_zip)

#: By the type that is announced.
KINDS: dict[str, Kind] = {
    "image/png": Kind((".png",), _found("image/png", and_=_is_png)),
    "image/jpeg": _jpeg,
    "image/jpg": _jpeg,
    "image/gif": Kind((".gif",), _found("image/gif", and_=_is_gif)),
    "image/webp": Kind((".webp",), _found("image/webp", and_=_is_riff)),
    "audio/mpeg": _mp3,
    "audio/mp3": _mp3,
    "audio/ogg": _ogg,
    "audio/opus": _ogg,
    "application/ogg": _ogg,
    "audio/mp4": _m4a,
    "audio/m4a": _m4a,
    "audio/x-m4a": _m4a,
    "audio/wav": _wav,
    "audio/wave": _wav,
    "audio/x-wav": _wav,
    "audio/webm": _webm,
    "video/webm": _webm,
    "video/mp4": Kind((".mp4", ".m4v"), _brands(b"mp4", b"isom", b"iso", b"avc1", b"M4V", b"dash", b"MSNV")),
    "video/3gpp": Kind((".3gp",), _brands(b"3g")),
    "application/pdf": Kind((".pdf",), _pdf),
    "application/zip": _zip,
    "application/x-zip-compressed": _zip,
    "text/plain": Kind((".txt", ".log", ".md", ".ini", ".cfg", ".yaml", ".yml", ".tsv", ".srt"), _text),
    "text/csv": Kind((".csv",), _text),
    "application/json": Kind((".json", ".geojson"), _json),
    **{
        f"{_DOCUMENT_TYPES}{kind}": Kind((ending,), documents.office(folder))
        for kind, ending, folder in [
            ("wordprocessingml.document", ".docx", "word/"),
            ("spreadsheetml.sheet", ".xlsx", "xl/"),
            ("presentationml.presentation", ".pptx", "ppt/"),
        ]
    },
    **{
        f"{_OPEN}{kind}": Kind((ending,), documents.open_document(f"{_OPEN}{kind}"))
        for kind, ending in [("text", ".odt"), ("spreadsheet", ".ods"), ("presentation", ".odp"), ("graphics", ".odg")]
    },
}


def accepted_type(announced: str) -> str | None:
    """The type itself, without its parameters; None where no such file is accepted, or text of another charset."""
    essence, *parameters = (part.strip().replace('"', "") for part in announced.lower().split(";"))
    charsets = {part for part in parameters if part.startswith("charset=")}
    known = essence in KINDS and charsets <= {"charset=utf-8", "charset=utf8", "charset=us-ascii"}
    return essence if known else None


def type_by_ending(name: str) -> str | None:
    """For programs that say no type: the one whose files are called so."""
    return next((kind for kind in KINDS if name.lower().endswith(KINDS[kind].endings)), None)


def is_of_type(file: IO[bytes], content_type: str, size: int) -> bool:
    """Whether the file's bytes are what its announced type says."""
    file.seek(0)
    start = file.read(_BEGINNING)
    return KINDS[content_type].check(file, start, size)


def endings_of(content_type: str) -> tuple[str, ...]:
    kind = KINDS.get(content_type)
    return kind.endings if kind else ()
