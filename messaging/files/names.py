"""File names, which people and programs choose, as headers and other people's disks can bear them."""

import re
from urllib.parse import quote

#: C0, C1, what ends a line, what turns the writing round, and what parts a path.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff/\\]|[\ud800-\udfff]")
_FORBIDDEN = re.compile(r'[<>:"|?*%;]')  # on some file system, or in a header


def content_disposition(name: str, endings: tuple[str, ...]) -> str:
    """`attachment`, under a name that ends as its type does (RFC 6266)."""
    safe = saved_as(name, endings)
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def saved_as(name: str, endings: tuple[str, ...]) -> str:
    safe = _FORBIDDEN.sub("_", UNSAFE.sub("_", name)).strip(" .") or "file"
    if endings and not safe.lower().endswith(endings):
        safe = f"{safe[:200]}{endings[0]}"
    return safe
