"""One line: a user, contact or agent, checked as far as that goes without looking at the store."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..checks import QUEUE_LENGTH
from ..fields import json_problem
from ..phones import typed_phone_digits
from .lines import BadLine, shown

Kind = Literal["user", "contact", "agent"]
KINDS: tuple[Kind, ...] = ("user", "contact", "agent")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    kind: Kind
    id: str  # the client's own
    values: Mapping[str, Any]  # by the names of columns of the store
    password: str | None = None


def parse(number: int, data: Mapping[str, Any], kind: str | None) -> Line:
    """`kind` is that of lines which name none. Raises BadLine."""
    given = _text(data, "kind").lower() or kind or ""
    if given not in KINDS:
        raise BadLine(f"kind: {shown(given)} is none of {', '.join(KINDS)}" if given else "kind: missing")
    found: Kind = given  # type: ignore[assignment]
    own_id = _text(data, "id", numbers=True)
    if not own_id:
        raise BadLine("id: missing")
    for name in _FOREIGN[found]:
        if data.get(name) is not None:
            raise BadLine(f"{name}: a line of kind {found} has none")
    values: dict[str, Any] = {"name": _text(data, "name")}
    if not values["name"]:
        raise BadLine("name: missing")
    for name, read in _FIELDS[found].items():
        if name in data:
            values.update(read(data, name))
    if found == "user" and not values.get("email"):
        raise BadLine("email: missing")
    password = data.get("password")
    if password is not None and not isinstance(password, str):
        raise BadLine("password: must be text")
    return Line(number, found, own_id, values, password)


def fields() -> set[str]:
    """All that a line may name."""
    return {"kind", "id", "name", "password"}.union(*_FIELDS.values())


def _text(data: Mapping[str, Any], name: str, *, numbers: bool = False) -> str:
    value = data.get(name)
    if numbers and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise BadLine(f"{name}: must be text")
    return (value or "").strip()


def _email(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"email": _text(data, name)}


def _phone(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    text = _text(data, name, numbers=True)
    digits = typed_phone_digits(text) if text else ""
    if digits is None:
        raise BadLine(f"{name}: {shown(text)} is no phone number with its country code")
    return {"phone": digits}


def _metadata(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; in a cell, its JSON. An empty one leaves what there is."""
    value = data[name]
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise BadLine(f"{name}: not JSON") from error
        if problem := json_problem(value):
            raise BadLine(f"{name}: {problem}")
    if value is not None and not isinstance(value, dict):
        raise BadLine(f"{name}: must be an object")
    return {} if value is None else {"metadata": value}


def _is_active(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = data[name]
    if isinstance(value, str):
        value = _TRUTH.get(value.strip().lower(), value)
    if value is not None and not isinstance(value, bool):
        raise BadLine(f"{name}: must be true or false")
    return {} if value is None else {"is_active": value}


def _agent_kind(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    kind = _text(data, name).lower()
    if kind not in ("", "human", "ai"):
        raise BadLine(f"{name}: {shown(kind)} is neither human nor ai")
    return {"kind": kind} if kind else {}


def _queue(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    queue = _text(data, name)
    return _queues({name: [queue]}, name)


def _queues(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A list; in a cell, names parted by commas."""
    value = data[name] or []
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise BadLine(f"{name}: must be a list of names")
    names = [one.strip() for one in names if one.strip()]
    if any(len(one) > QUEUE_LENGTH for one in names):
        raise BadLine(f"{name}: a name is longer than {QUEUE_LENGTH} characters")
    return {"queues": list(dict.fromkeys(names))}


_FIELDS: dict[Kind, dict[str, Callable[[Mapping[str, Any], str], dict[str, Any]]]] = {
    "user": {"email": _email, "is_active": _is_active},
    "contact": {"phone": _phone, "email": _email, "metadata": _metadata},
    "agent": {"agent_kind": _agent_kind, "queue": _queue, "queues": _queues, "is_active": _is_active},
}
_OF: dict[Kind, set[str]] = {
    kind: {*names, *({"password"} if kind == "user" else ())} for kind, names in _FIELDS.items()
}
_FOREIGN = {kind: sorted(set().union(*_OF.values()) - own) for kind, own in _OF.items()}
