"""Events in a dialect's words: what all dialects do alike, for the voices of their streams."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from conversations.events import NAMES_ACTOR, NAMES_MESSAGE, NAMES_PARTICIPANT
from conversations.feed import Told
from messaging.event_rows import EventRows, agents_of, people_of, rows_of
from messaging.streams.signals import Signal
from messaging.streams.voice import Voice

from .files import files_of, public_url

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """`conversation` and `user` show whom or what an event is about, shortly; `message` gets the row of
    `messages`, the conversation's and the message's files; `changed` are the fields that the dialect has a
    word for, under its own word, those of a conversation and those of a message."""

    time: Callable[[datetime], str]
    conversation: Callable[[Row], dict[str, Any]]
    messages: Sequence[str]
    message: Callable[[Row, Row, Sequence[Row]], Mapping[str, Any]]
    message_id: Callable[[Row], dict[str, Any]]
    participants: Sequence[str]
    participant: Callable[[Row], dict[str, Any]]
    user: Callable[[Row], dict[str, Any]]
    changed: Mapping[str, str]
    message_changed: Mapping[str, str] = field(default_factory=dict)
    #: Whether an agent is known by its number, not by the client's own id of it.
    numbers_agents: bool = False


def voice_of(name: str, words: Words) -> Voice:
    return Voice(name, lambda events: _events(words, events), lambda signals: signals_in(words, signals))


def _events(words: Words, events: Sequence[Told]) -> dict[int, str]:
    rows = rows_of(events, message=("id", "attachment_count", *words.messages), participant=words.participants)
    files = files_of([row["id"] for row in rows.messages.values() if row["attachment_count"]], public_url)
    agents = agents_of(events) if words.numbers_agents else None
    bodies = {}
    for event in events:
        body = _event(words, event, rows, files, agents)
        if body is not None:
            bodies[event["id"]] = orjson.dumps(body).decode()
    return bodies


def _event(
    words: Words,
    event: Told,
    rows: EventRows,
    files: Mapping[int, Sequence[Row]],
    agents: Mapping[tuple[int, str], int] | None,
) -> dict[str, Any] | None:
    """None: nothing of it is this dialect's."""
    conversation = rows.conversations.get(event["conversation_id"])
    if conversation is None:  # removed for good
        return None
    kind, data = event["kind"], event["data"]
    body: dict[str, Any] = {
        "event": kind,
        "timestamp": words.time(event["created_at"]),
        "conversation": words.conversation(conversation),
    }
    if kind in NAMES_MESSAGE:
        row = rows.messages.get(UUID(data["message"]))
        if row is None or row["visibility"] != "public":
            return None
        if row["deleted_at"] is not None:
            body["message"] = {**words.message_id(row), "deleted": True}
            return body
        body["message"] = words.message(row, conversation, files.get(row["id"], ()))
    if kind in NAMES_PARTICIPANT:
        person = rows.participants.get(UUID(data["participant"]))
        if person is None:
            return None
        body["participant"] = words.participant(person)
    if "changes" in data:
        known = words.message_changed if kind in NAMES_MESSAGE else words.changed
        body["changes"] = changes = _changes(known, event, agents)
        if not changes:
            return None
    if kind in NAMES_ACTOR:
        body["by"] = data.get("by") or None
    return body


def _changes(
    known: Mapping[str, str], event: Told, agents: Mapping[tuple[int, str], int] | None
) -> dict[str, Sequence[Any]]:
    changes: dict[str, Sequence[Any]] = {}
    for name, pair in event["data"]["changes"].items():
        if name in known:
            if agents is not None and name == "assigned_agent":
                pair = [agents.get((event["client_id"], one)) for one in pair]
            changes[known[name]] = pair
    return changes


def signals_in(words: Words, signals: Sequence[Signal]) -> list[str | None]:
    users, conversations = people_of(
        {signal.user_id for signal in signals}, {s.conversation_id for s in signals if s.conversation_id}
    )
    now = words.time(timezone.now())
    said: list[str | None] = []
    for signal in signals:
        user = users.get(signal.user_id)
        body: dict[str, Any] = {"event": signal.kind, "timestamp": now}
        if signal.conversation_id is not None:
            conversation = conversations.get(signal.conversation_id)
            body["conversation"] = words.conversation(conversation) if conversation else None
            body["user"], body["typing"] = user and words.user(user), signal.value == "on"
        else:
            body["user"], body["status"] = user and words.user(user), signal.value
        said.append(orjson.dumps(body).decode() if user else None)
    return said
