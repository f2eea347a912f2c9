"""What a message says in one line, whatever its type (contract `behaviour.md`, Messages)."""

from typing import Any

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
    return text or f"[{type_}] {content.get('filename', '')}".rstrip()
