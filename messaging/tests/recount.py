"""Counts a store's figures anew, in plain Python over its rows: knows nothing of the actions."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.core.management import call_command, get_commands

from conversations.models import Conversation, Event, Participant, SessionHistory
from messaging.models import Message


def differences() -> list[str]:
    """What is wrong anywhere, in words; nothing is the answer of a store that is whole."""
    messages, events, sessions, people = (defaultdict(list) for _ in range(4))
    for row in Message.objects.order_by("seq").values():
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
        expected = {**figures(row, messages[pk]), "participant_count": len(people[pk])}
        found += [
            f"{pk}: {name} is {row[name]}, should be {value}" for name, value in expected.items() if row[name] != value
        ]
        found += [f"{pk}: {what}" for what in _order(row, messages[pk])]
        told = [(data["message"], data["seq"]) for data in events[pk]]
        if told != [(str(message["uuid"]), message["seq"]) for message in messages[pk]]:
            found.append(f"{pk}: {len(told)} events of {len(messages[pk])} messages, or in another order")
        kept = [
            (s["session_start"], s["session_end"], s["messages_count"], s["duration_minutes"]) for s in sessions[pk]
        ]
        if kept != _sessions([message["created_at"] for message in messages[pk]]):
            found.append(f"{pk}: sessions are {kept}")
        for person in people[pk]:
            unread = sum(
                1 for m in messages[pk] if m["seq"] > person["last_read_seq"] and m["sender_user_id"] != person["user_id"]
            )  # fmt: skip
            if person["unread_count"] != (unread if person["user_id"] else 0):
                found.append(
                    f"{pk}: {person['unread_count']} unread for participant {person['id']}, should be {unread}"
                )
            if (person["activity_at"], person["is_pinned"]) != (row["activity_at"], row["is_pinned"]):
                found.append(f"{pk}: participant {person['id']} stands elsewhere in their list")
    return found


def figures(row: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    """For conversations without private or deleted messages, which these tests do not make."""
    last = messages[-1] if messages else None
    return {
        "last_seq": len(messages),
        "message_count": len(messages),
        "last_message_at": last and last["created_at"],
        "last_message_seq": last["seq"] if last else 0,
        "last_message_text": last["text"][:1000] if last else "",
        "activity_at": last["created_at"] if last else row["created_at"],
        "owner_unread": sum(1 for m in messages if m["sender_agent_id"] and m["seq"] > row["owner_read_seq"]),
        "staff_unread": sum(1 for m in messages if m["is_customer"] and m["seq"] > row["staff_read_seq"]),
    }


def _order(row: dict[str, Any], messages: list[dict[str, Any]]) -> list[str]:
    found = []
    if [message["seq"] for message in messages] != list(range(1, len(messages) + 1)):
        found.append("the sequence has gaps")
    times = [message["created_at"] for message in messages]
    if times != sorted(times):
        found.append("times step back along the sequence")
    return found


def _sessions(times: list[Any]) -> list[tuple[Any, Any, int, int]]:
    split: list[list[Any]] = []
    for at in times:
        if split and at - split[-1][-1] < timedelta(minutes=30):
            split[-1].append(at)
        else:
            split.append([at])
    return [(group[0], group[-1], len(group), (group[-1] - group[0]).seconds // 60) for group in split]


def assert_whole() -> None:
    assert differences() == []
    if "verify_integrity" in get_commands():  # the product's own oracle agrees
        try:
            call_command("verify_integrity")
        except SystemExit as ended:
            assert not ended.code
