"""Counts a store's figures anew, in plain Python over its rows: knows nothing of the actions."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management import call_command, get_commands
from django.db.models import Q

from conversations.models import Conversation, Event, Participant, SessionHistory
from messaging.models import Message

_MESSAGE = [field.attname for field in Message._meta.concrete_fields]


def differences() -> list[str]:
    """What is wrong anywhere, in words; nothing is the answer of a store that is whole."""
    messages, events, sessions, people = (defaultdict(list) for _ in range(4))
    for row in Message.objects.order_by("seq").values(*_MESSAGE, is_system=Q(sender_agent__kind="system")):
        messages[row["conversation_id"]].append(row)
    for event in Event.objects.filter(kind="conversation.message.created").order_by("id").values():
        events[event["conversation_id"]].append(event["data"])
    for session in SessionHistory.objects.order_by("session_start").values():
        sessions[session["conversation_id"]].append(session)
    for person in Participant.objects.filter(removed_at=None).values():
        people[person["conversation_id"]].append(person)
    found = []
    for row in Conversation.objects.values():
        pk = row["id"]
        told = [(event["message"], event["seq"]) for event in events[pk]]
        found += [
            f"{pk}: {what}"
            for what in (
                *_figures(row, messages[pk], people[pk]),
                *_order(messages[pk]),
                *_people(row, messages[pk], people[pk]),
                *_sessions(messages[pk], sessions[pk]),
            )
        ]
        if told != [(str(message["uuid"]), message["seq"]) for message in messages[pk]]:
            found.append(f"{pk}: {len(told)} events of {len(messages[pk])} messages, or in another order")
    return found


Row = dict[str, Any]


def _figures(row: Row, messages: list[Row], people: list[Row]) -> Iterator[str]:
    """For conversations without private or deleted messages, which these tests do not make."""
    last = messages[-1] if messages else None
    answers = [m for m in messages if m["sender_agent_id"] and not m["is_system"]]
    expected = {
        "last_seq": len(messages),
        "message_count": len(messages),
        "participant_count": len(people),
        "last_message_at": last and last["created_at"],
        "last_message_seq": last["seq"] if last else 0,
        "last_message_text": last["text"][:1000] if last else "",
        "activity_at": last["created_at"] if last else row["created_at"],
        "owner_unread": sum(1 for m in answers if m["seq"] > row["owner_read_seq"]),
        "staff_unread": sum(1 for m in messages if m["is_customer"] and m["seq"] > row["staff_read_seq"]),
    }
    for name, value in expected.items():
        if row[name] != value:
            yield f"{name} is {row[name]}, should be {value}"


def _order(messages: list[Row]) -> Iterator[str]:
    if [message["seq"] for message in messages] != list(range(1, len(messages) + 1)):
        yield "the sequence has gaps"
    times = [message["created_at"] for message in messages]
    if times != sorted(times):
        yield "times step back along the sequence"


def _people(row: Row, messages: list[Row], people: list[Row]) -> Iterator[str]:
    for person in people:
        others = [m for m in messages if m["sender_user_id"] != person["user_id"] and not m["is_system"]]
        unread = sum(1 for message in others if message["seq"] > person["last_read_seq"]) if person["user_id"] else 0
        if person["unread_count"] != unread:
            yield f"{person['unread_count']} unread for participant {person['id']}, should be {unread}"
        if (person["activity_at"], person["is_pinned"]) != (row["activity_at"], row["is_pinned"]):
            yield f"participant {person['id']} stands elsewhere in their list"


def _sessions(messages: list[Row], kept: list[Row]) -> Iterator[str]:
    groups: list[list[Any]] = []
    for at in (message["created_at"] for message in messages):
        if groups and at - groups[-1][-1] < timedelta(minutes=30):
            groups[-1].append(at)
        else:
            groups.append([at])
    expected = [(group[0], group[-1], len(group), (group[-1] - group[0]).seconds // 60) for group in groups]
    found = [(s["session_start"], s["session_end"], s["messages_count"], s["duration_minutes"]) for s in kept]
    if found != expected:
        yield f"sessions are {found}, should be {expected}"


def assert_whole() -> None:
    assert differences() == []
    if "verify_integrity" in get_commands():  # the product's own oracle agrees
        assert _exit_code("verify_integrity") == 0


def _exit_code(command: str) -> int:
    try:
        call_command(command)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
