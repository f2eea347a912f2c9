"""What a message says in one line, whatever its type (contract `behaviour.md`, Messages)."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

NAME_LENGTH = 255  # of a file
PREVIEW = 1000  # characters kept as a conversation's last message


def plain_text(type_: str, text: str, content: dict[str, Any]) -> str:
    """The text; a caption or `[image] name` of media; `[location] …`, `[contact] …`."""
    if type_ in ("text", "event"):
        return text
    if type_ == "location":
        where = content.get("name") or f"{content.get('latitude')}, {content.get('longitude')}"
        return f"[location] {where}"
    if type_ == "contact":
        return f"[contact] {content.get('formatted_name', '')}"
    return text or f"[{type_}] {file_name(content)}".rstrip()


def said(type_: str, text: str, content: dict[str, Any]) -> str:
    """What search looks into: the same line without the mark of its type."""
    if type_ in ("text", "event"):
        return text
    if type_ == "location":
        return f"{content.get('name') or ''}\n{content.get('address') or ''}"
    return content.get("formatted_name") or "" if type_ == "contact" else text or file_name(content)


def file_name(content: dict[str, Any]) -> str:
    """The name that a media object gives its file, else the last part of the address; empty without any."""
    name = content.get("filename") or PurePosixPath(unquote(urlsplit(content.get("url", "")).path)).name
    return "".join(char for char in name if char.isprintable())[:NAME_LENGTH]
