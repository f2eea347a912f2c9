"""A small file of every type that is accepted, and files that pretend to be one."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
PAGE = b"<!doctype html><html><body><script>alert(document.cookie)</script></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG_HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
PNG = PNG_HEAD + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043") + b"\1" * 200 + b"\xff\xd9"
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


def riff(kind: bytes, data: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(data) + 4) + kind + data


WEBP = riff(b"WEBP", b"VP8L" + struct.pack("<I", 14) + bytes.fromhex("2f0000000000885f0f000000000f"))
WAV = riff(
    b"WAVE",
    b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 4) + b"\x80" * 4,
)


def movie(brand: bytes, *compatible: bytes) -> bytes:
    box = b"ftyp" + brand + b"\0\0\2\0" + b"".join(compatible or (brand,))
    return struct.pack(">I", len(box) + 4) + box + struct.pack(">I", 8) + b"mdat"


WEBM = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d428781024285810218538067") + b"\0" * 40


def archive(files: Mapping[str, bytes], *, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as made:
        for name, data in files.items():
            made.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else how)
    return stream.getvalue()


def office(folder: str, **more: bytes) -> bytes:
    return archive({"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<R/>", f"{folder}/main.xml": b"<m/>", **more})


def open_document(kind: str) -> bytes:
    return archive({"mimetype": f"{OPEN}{kind}".encode(), "content.xml": b"<c/>", "META-INF/manifest.xml": b"<m/>"})


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ZIP = archive({"notes.txt": b"Two boxes."})

#: By the type that is announced: a name, and the bytes.
GOOD: dict[str, tuple[str, bytes]] = {
    "image/png": ("parcel.png", PNG),
    "image/jpeg": ("parcel.jpg", JPEG),
    "image/gif": ("parcel.gif", GIF),
    "image/webp": ("parcel.webp", WEBP),
    "audio/mpeg": ("hello.mp3", b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\x90\0" * 20),
    "audio/ogg": ("hello.ogg", b"OggS\0\2" + b"\0" * 30 + b"\x01vorbis"),
    "audio/mp4": ("hello.m4a", movie(b"M4A ", b"M4A ", b"isom")),
    "audio/wav": ("hello.wav", WAV),
    "video/mp4": ("door.mp4", movie(b"isom", b"isom", b"mp42")),
    "video/webm": ("door.webm", WEBM),
    "video/3gpp": ("door.3gp", movie(b"3gp5")),
    "application/pdf": ("invoice.pdf", PDF),
    f"{OFFICE}wordprocessingml.document": ("letter.docx", office("word")),
    f"{OFFICE}spreadsheetml.sheet": ("sums.xlsx", office("xl")),
    f"{OFFICE}presentationml.presentation": ("talk.pptx", office("ppt")),
    f"{OPEN}text": ("letter.odt", open_document("text")),
    f"{OPEN}spreadsheet": ("sums.ods", open_document("spreadsheet")),
    f"{OPEN}presentation": ("talk.odp", open_document("presentation")),
    "application/zip": ("all.zip", ZIP),
    "text/plain": ("notes.txt", "Día: «mañana» 🙏\n".encode()),
    "text/csv": ("orders.csv", "order,straße\n1,Gäßchen\n".encode()),
    "application/json": ("order.json", '{"straße": "Gäßchen"}'.encode()),
}

XMP = b'<?xpacket begin="" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><svg/><script/></x:xmpmeta>'
_APP1 = b"http://ns.adobe.com/xap/1.0/\0" + XMP
#: What it is, and the bytes: each is of the type that is announced, though another might be suspected.
UNUSUAL: dict[str, tuple[str, bytes]] = {
    "a PNG that tells of itself": ("image/png", PNG_HEAD + chunk(b"tEXt", b"XML:com.adobe.xmp\0" + XMP) + PNG[33:]),
    "a PNG with a page in a comment": ("image/png", PNG_HEAD + chunk(b"tEXt", b"Comment\0" + PAGE) + PNG[33:]),
    "a JPEG that tells of itself": (
        "image/jpeg", JPEG[:20] + b"\xff\xe1" + struct.pack(">H", len(_APP1) + 2) + _APP1 + JPEG[20:],
    ),
    "a GIF with a page in a comment": ("image/gif", GIF[:-1] + b"!\xfe" + bytes([len(PAGE)]) + PAGE + b"\0;"),
    "a PDF with a form in XML": ("application/pdf", PDF[:9] + b"1 0 obj<</XFA 2 0 R>>stream\n<?xml?>" + PDF[9:]),
    "a PDF after an empty line": ("application/pdf", b"\r\n" + PDF),
    "a PDF after a byte-order mark": ("application/pdf", b"\xef\xbb\xbf" + PDF),
    "a WAV of no known length": ("audio/wav", WAV[:4] + b"\xff\xff\xff\xff" + WAV[8:]),
    "a WAV that was streamed": ("audio/wav", WAV[:4] + b"\0\0\0\0" + WAV[8:]),
    "an MP3 of MPEG 2.5": ("audio/mpeg", b"\xff\xe3\x18\xc4" + b"\0" * 100),
    "an MP3 of MPEG 2": ("audio/mpeg", b"\xff\xf3\x40\xc4" + b"\0" * 100),
    "Word with types": (f"{OFFICE}wordprocessingml.document", office("word", **{"word/x.xml": b"<macroEnabled/>"})),
    "text about code": ("text/plain", b"How do I close the <div> tag? <script> too"),
    "text that quotes a page": ("text/plain", b"Dear all,\n" + PAGE),
    "text that begins like a picture": ("text/plain", b"BMW and GIF89a"),
    "a sum of code": ("text/csv", b"tag,count\n<html>,1\n<script>,2\n"),
    "JSON about code": ("application/json", b'{"a": "<html><script>"}'),
}  # fmt: skip

_MACROS = office("word", **{"word/vbaProject.bin": b"\xd0\xcf\x11\xe0"})
_WORD_TYPES = "application/vnd.ms-word.document.macroEnabled.main+xml"
_VBA = "application/vnd.ms-office.vbaProject"


def _typed(content_type: str, encoding: str = "utf-8") -> bytes:
    types = f'<Types><Override PartName="/word/x.bin" ContentType="{content_type}"/></Types>'.encode(encoding)
    return archive({"[Content_Types].xml": types, "word/main.xml": b"<m/>", "word/x.bin": b"\xd0\xcf\x11\xe0"})


_LONG = b"x" * 5000
#: What it pretends to be → the bytes. None of them is what it says, or it is two things at once.
HOSTILE: dict[str, tuple[str, bytes]] = {
    "a page as a PNG": ("image/png", PAGE),
    "a page as a JPEG": ("image/jpeg", PAGE),
    "a page as text": ("text/plain", PAGE),
    "a page as CSV": ("text/csv", PAGE),
    "a page as JSON": ("application/json", PAGE),
    "a page as a PDF": ("application/pdf", PAGE),
    "a page after spaces": ("text/plain", b" \r\n\t" + PAGE),
    "a page after a byte-order mark": ("text/plain", b"\xef\xbb\xbf" + PAGE),
    "a page in capitals": ("text/plain", PAGE.upper()),
    "a page in a word processor's markup": ("text/plain", b"<?xml version='1.0'?><html/>"),
    "PHP as text": ("text/plain", b"<?php system($_GET['c']); ?>"),
    "SVG after an empty line": ("text/csv", b"\n\t" + SVG),
    "a page after a comment": ("text/plain", b"<!-- x --><p onmouseover=alert(1)>"),
    "a page of UTF-16": ("text/plain", "\ufeff<html><script>alert(1)</script>".encode("utf-16-le")),
    "SVG as a PNG": ("image/png", SVG),
    "SVG as text": ("text/plain", SVG),
    "SVG after an XML declaration": ("text/plain", b'<?xml version="1.0"?>' + SVG),
    "SVG as WebP": ("image/webp", SVG),
    "a GIF that is a script": ("image/gif", b"GIF89a=1;alert(document.domain);//" + _LONG),
    "a PNG without its head": ("image/png", PNG[:8] + PAGE),
    "a JPEG that is only marked so": ("image/jpeg", b"\xff\xd8\xff\x00" + _LONG),
    "a WAV that is a page": ("audio/wav", b"RIFF" + struct.pack("<I", 9) + b"WAVE" + _LONG),
    "a WebP of another length": ("image/webp", WEBP + PAGE),
    "an MP3 that is a page": ("audio/mpeg", b"ID3\x04\0\0\0\0\0\0" + PAGE),
    "Matroska as WebM": ("video/webm", WEBM.replace(b"webm", b"matr")),
    "a program as a PDF": ("application/pdf", b"MZ\x90\0" + _LONG),
    "a program as text": ("text/plain", b"MZ" + b"x" * 100),
    "a program of Linux as a ZIP": ("application/zip", b"\x7fELF" + _LONG),
    "a PDF after a page": ("application/pdf", PAGE + PDF),
    "a PDF that begins with a page": ("application/pdf", b"%PDF-1.4\n" + PAGE + PDF[9:]),
    "a PDF as text": ("text/plain", PDF),
    "a PDF after words": ("application/pdf", b"Dear all,\n" + PDF),
    "a PDF far from the beginning": ("application/pdf", b" " * 1024 + PDF),
    "a streamed WAV that is a page": ("audio/wav", b"RIFF\0\0\0\0WAVE" + PAGE),
    "a frame that no MP3 has": ("audio/mpeg", b"\xff\xfe" + _LONG),
    "a PDF without an end": ("application/pdf", b"%PDF-1.4\n" + _LONG),
    "an archive as Word": (f"{OFFICE}wordprocessingml.document", ZIP),
    "Excel as Word": (f"{OFFICE}wordprocessingml.document", office("xl")),
    "Word with macros": (f"{OFFICE}wordprocessingml.document", _MACROS),
    "Word with macros by its type": (f"{OFFICE}wordprocessingml.document", _typed(_WORD_TYPES)),
    "Word with macros under another name": (f"{OFFICE}wordprocessingml.document", _typed(_VBA)),
    "Word with macros in UTF-16": (f"{OFFICE}wordprocessingml.document", _typed(_VBA, "utf-16")),
    "Word with macros in capitals": (f"{OFFICE}wordprocessingml.document", _typed(_VBA.upper())),
    "Word with macros in entities": (f"{OFFICE}wordprocessingml.document", _typed(_VBA.replace("P", "&#80;"))),
    "Word with too many types": (f"{OFFICE}wordprocessingml.document", _typed(" " * 1024 * 1024)),
    "OpenDocument of another kind": (f"{OPEN}text", open_document("spreadsheet")),
    "an archive after a page": ("application/zip", PAGE + ZIP),
    "an archive with a page behind it": ("application/zip", ZIP + PAGE),
    "an archive cut off": ("application/zip", ZIP[:-10]),
    "text of Latin-1": ("text/plain", "mañana".encode("latin-1")),
    "text with NUL": ("text/plain", b"a\0b"),
    "text cut within a letter": ("text/plain", "mañana 🙏".encode()[:-1]),
    "an image as text": ("text/plain", GIF),
    "a page as MP4": ("video/mp4", b"\0\0\0\x18ftypisom\0\0\2\0isommp42" + PAGE),
    "QuickTime as 3GP": ("video/3gpp", movie(b"qt  ")),
    "a GIF as a PNG": ("image/png", GIF),
    "JSON that is none": ("application/json", b"hello there"),
    "a PNG as JSON": ("application/json", PNG),
}
