"""One line of a transcript file: a whole dialogue, checked before anything of it is stored."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from django.utils import timezone

from chatplatform.text import fold
from clients.importing.lines import BadLine, json_object, shown
from conversations.states import Status

from ..models import MAX_TEXT_BYTES

MAX_MESSAGES = 50_000
MAX_TAGS = 100
STATUS_OF_OUTCOME: dict[str | None, Status] = {
    "resolved": Status.RESOLVED,
    "completed": Status.RESOLVED,
    "abandoned": Status.CLOSED,
    "unresolved": Status.ACTIVE,
    None: Status.ACTIVE,
}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: dict[type, str] = {str: "text", dict: "an object", list: "a list"}


Side = Literal["customer", "agent", "system"]


class Said(NamedTuple):
    sender: Side
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Dialogue:
    external_id: str
    channel: str
    subject: str
    customer: str  # a name, or ""
    agent: str
    status: Status
    tags: tuple[str, ...]
    messages: tuple[Said, ...]

    @property
    def source(self) -> str:
        """Where it comes from: the words of its id before the first part that begins with a digit."""
        words: list[str] = []
        for part in self.external_id.split("-"):
            if part[:1].isdigit():
                return "-".join(words) or self.channel
            words.append(part)
        return self.channel

    def timed(self, end: datetime) -> "list[tuple[Said, datetime]]":
        """Each message with its time; where the file has none, one second apart up to `end`."""
        first = end - timedelta(seconds=len(self.messages) - 1)
        return [(said, said.at or first + timedelta(seconds=number)) for number, said in enumerate(self.messages)]


def parse(line: bytes | None) -> Dialogue:
    """Raises BadLine with the reason. None stands for a line that was too long to read."""
    if line is None:
        raise BadLine("longer than 8 MiB")
    data = json_object(line)
    said = _required(data, "messages", list)
    if not said:
        raise BadLine("messages: none")
    if len(said) > MAX_MESSAGES:
        raise BadLine(f"messages: more than {MAX_MESSAGES}")
    messages = tuple(_message(number, value) for number, value in enumerate(said, start=1))
    if len({message.at is None for message in messages}) > 1:
        raise BadLine('messages: some have "at" and some have none')
    outcome = _optional(data, "outcome", str) if data.get("outcome") is not None else None
    if outcome not in STATUS_OF_OUTCOME:
        raise BadLine(f"outcome: {shown(outcome)} is unknown")
    return Dialogue(
        external_id=_words(data, "external_id", 64, required=True),
        channel=_words(data, "channel", 50, required=True),
        subject=_words(data, "subject", 255),
        customer=_name(data, "customer"),
        agent=_name(data, "agent"),
        status=STATUS_OF_OUTCOME[outcome],
        tags=_tags(data),
        messages=messages,
    )


def _message(number: int, value: Any) -> Said:
    if not isinstance(value, dict):
        raise BadLine(f"message {number}: must be an object")
    try:
        sender = _required(value, "sender", str)
        if sender not in ("customer", "agent", "system"):
            raise BadLine(f"sender: {shown(sender)} is unknown")
        text = _required(value, "text", str)
        if not text.strip():
            raise BadLine("text: empty")
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise BadLine(f"text: longer than {MAX_TEXT_BYTES} bytes")
        return Said(sender, text, _time(value))  # type: ignore[arg-type]
    except BadLine as error:
        raise BadLine(f"message {number}: {error}") from error


def _time(value: dict[str, Any]) -> datetime | None:
    if value.get("at") is None:
        return None
    text = _required(value, "at", str)
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        at = datetime.fromisoformat(text.upper())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLine(f"at: {shown(text)} is no time") from error
    # A time to come would make every later message of the conversation one of the future.
    if not _EARLIEST <= at <= timezone.now() + timedelta(days=1):
        raise BadLine(f"at: {shown(text)} is before 1970 or in the future")
    return at


def _tags(data: dict[str, Any]) -> tuple[str, ...]:
    tags: dict[str, str] = {}
    for name in _optional(data, "tags", list) or ():
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= 50 or len(fold(name.strip())) > 100:
            raise BadLine("tags: each is 1 to 50 characters of text")
        tags.setdefault(fold(name.strip()), name.strip())
    if len(tags) > MAX_TAGS:
        raise BadLine(f"tags: more than {MAX_TAGS}")
    return tuple(tags.values())


def _name(data: dict[str, Any], key: str) -> str:
    person = _optional(data, key, dict) or {}
    try:
        return _words(person, "name", 255)
    except BadLine as error:
        raise BadLine(f"{key}.{error}") from error


def _words(data: dict[str, Any], key: str, longest: int, *, required: bool = False) -> str:
    value: str = (_required(data, key, str) if required else _optional(data, key, str) or "").strip()
    if required and not value:
        raise BadLine(f"{key}: empty")
    if len(value) > longest:
        raise BadLine(f"{key}: longer than {longest} characters")
    return value


def _required(data: dict[str, Any], key: str, kind: type) -> Any:
    if key not in data:
        raise BadLine(f"{key}: missing")
    if not isinstance(data[key], kind):
        raise BadLine(f"{key}: must be {_TYPES[kind]}")
    return data[key]


def _optional(data: dict[str, Any], key: str, kind: type) -> Any:
    return None if data.get(key) is None else _required(data, key, kind)
