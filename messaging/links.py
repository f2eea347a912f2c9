"""Files elsewhere, which a message shows by their address."""

import mimetypes
from typing import Any

from .text import file_name

#: The message types that show a file: an upload, or an address.
MEDIA = ("image", "video", "audio", "file")
_types = mimetypes.MimeTypes()  # the built-in table: the same on every machine


def linked_file(type_: str, content: dict[str, Any]) -> dict[str, str] | None:
    """Columns of the Attachment of a media message whose file is an address; None of any other message."""
    if type_ not in MEDIA or not content.get("url"):
        return None
    name = file_name(content) or type_
    return {"url": content["url"], "file_name": name, "file_type": _types.guess_type(name)[0] or ""}


def media_type(content_type: str) -> str:
    """The message type that shows a file of this type."""
    family = content_type.partition("/")[0]
    return family if family in MEDIA else "file"
