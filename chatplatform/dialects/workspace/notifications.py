"""What webhooks say: the events of the store in this dialect's words (contract `workspace`, webhooks)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from conversations.events import NAMES_ACTOR, NAMES_MESSAGE, NAMES_PARTICIPANT, Kind
from conversations.feed import Told
from messaging.event_rows import EventRows, rows_of

from ..files import files_of, public_url
from . import ids, message_shapes, shapes

_MESSAGE = (*message_shapes.MESSAGE, *message_shapes.SENDER.values())
#: Of a message as the API shows it: what its own event, or a look at the API, says.
_LEFT_OUT = ("conversation_id", "timestamp", "status")
#: What the store calls otherwise.
_FIELDS = {
    "title": "subject",
    "assigned_agent": "agent_id",
    "owner": "user_id",
    "is_archived": "archived",
    "is_pinned": "pinned",
    "is_flagged": "flagged",
}


def render(events: Sequence[Told]) -> dict[int, str]:
    """The body of each event, by its id; the same number of queries for one and for five hundred.

    None of what a receiver must not know: notes, and messages that are (again) none of the API's. What
    was deleted since, or erased, is told without what it said.
    """
    told = [event for event in events if event["kind"] != Kind.NOTE_CREATED]
    if not told:
        return {}
    rows = rows_of(told, message=_MESSAGE, participant=shapes.PARTICIPANT)
    files = files_of([m["id"] for m in rows.messages.values() if message_shapes.needs_files(m)], public_url)
    bodies = {event["id"]: _body(event, rows, files) for event in told}
    return {pk: orjson.dumps(body).decode() for pk, body in bodies.items() if body is not None}


def _body(event: Told, rows: EventRows, files: Mapping[int, Sequence[Any]]) -> dict[str, Any] | None:
    conversation = rows.conversations.get(event["conversation_id"])
    if conversation is None:  # removed for good
        return None
    kind, data = event["kind"], event["data"]
    body: dict[str, Any] = {
        "event": kind,
        "timestamp": shapes.time(event["created_at"]),
        "conversation": {"id": ids.shown("conv", conversation["uuid"]), "subject": conversation["title"] or None},
    }
    if kind in NAMES_MESSAGE:
        uuid = UUID(data["message"])
        row = rows.messages.get(uuid)
        if row is not None and row["visibility"] != "public":
            return None
        body["message"] = _message(uuid, row, files)
    if kind in NAMES_PARTICIPANT:
        uuid = UUID(data["participant"])
        person = rows.participants.get(uuid)
        body["participant"] = shapes.participant(person) if person else {"id": ids.shown("participant", uuid)}
    if "changes" in data:
        body["changes"] = _changes(data["changes"])
    if data.get("deleted"):
        body["deleted"] = True
    if kind in NAMES_ACTOR:
        body["by"] = data.get("by") or None
    return body


def _message(uuid: UUID, row: dict[str, Any] | None, files: Mapping[int, Sequence[Any]]) -> dict[str, Any]:
    if row is None or row["deleted_at"] is not None:
        return {"id": ids.shown("msg", uuid), "deleted": True}
    shown: dict[str, Any] = {**message_shapes.message(row, "", public_url, files.get(row["id"], ()))}
    if not shown["metadata"]:
        del shown["metadata"]
    return {name: value for name, value in shown.items() if name not in _LEFT_OUT}


def _changes(changes: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    return {
        _FIELDS.get(name, name): [_VALUES.get(name, _as_it_is)(value) for value in pair]
        for name, pair in changes.items()
    }


def _as_it_is(value: Any) -> Any:
    return value


def _or_null(value: Any) -> Any:
    return value or None


def _participant(described: dict[str, Any] | None) -> dict[str, Any] | None:
    if not described:
        return None
    return {**described, "id": ids.shown("participant", UUID(described["id"]))}


#: Values that this dialect shows in another way.
_VALUES: Mapping[str, Callable[[Any], Any]] = {"title": _or_null, "queue": _or_null, "participant": _participant}
