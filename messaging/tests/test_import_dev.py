"""The real dialogues, against figures that were worked out from the file by another program."""

import gzip
import json
import math
import re
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Count

from clients.actions import NewTenant
from clients.models import Agent, Contact
from conversations.models import Conversation, Event, SessionHistory, StateChange
from messaging.models import Message


@pytest.fixture
def reference(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data/reference-stats-dev.json").read_text())


def run(path: Path, tenant: NewTenant, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("import_transcripts", str(path), "--client", str(tenant.client.uuid), *arguments)
    return capsys.readouterr().out


def summary_of(values: list[float]) -> dict[str, Any]:
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "min": ordered[0],
        "median": statistics.median(ordered),
        "mean": round(statistics.mean(ordered), 3),
        "p90_nearest_rank": ordered[math.ceil(0.9 * len(ordered)) - 1],
        "max": ordered[-1],
    }


def approximately(expected: dict[str, Any]) -> Any:
    return pytest.approx(expected, abs=0.005)


def test_the_dev_file_agrees_with_its_reference(
    acme: NewTenant,
    rival: NewTenant,
    shared: Path,
    reference: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = shared / "data/transcripts-dev.jsonl.gz"
    with gzip.open(path, "rt") as file:
        timeless = {line["external_id"] for line in map(json.loads, file) if "at" not in line["messages"][0]}
    told = run(path, acme, capsys)
    assert told.startswith(
        "Acme: 2,000 conversations added, 0 already there; 28,363 messages, 2,716 private lines; 0 bad lines;"
    )
    rows = Conversation.objects.for_client(acme.client.pk)
    messages = Message.objects.for_client(acme.client.pk)
    assert Conversation.objects.for_client(rival.client.pk).count() == 0

    assert dict(rows.values_list("channel").annotate(Count("id"))) == reference["by_channel"]
    outcomes = reference["by_outcome"]
    assert dict(rows.values_list("status").annotate(Count("id"))) == {
        "resolved": outcomes["resolved"] + outcomes["completed"],
        "closed": outcomes["abandoned"],
        "active": outcomes["unresolved"] + outcomes["(none)"],
    }
    by_sender = reference["messages_by_sender"]
    assert messages.from_customers().count() == by_sender["customer"]
    assert messages.from_agents().count() == by_sender["agent"]
    system = messages.filter(
        type="event", visibility="private", sender_user=None, sender_contact=None, sender_agent=None
    )
    assert system.filter(sender_name="system").count() == by_sender["system"]
    assert messages.counted().count() == sum(rows.values_list("message_count", flat=True)) == 28_363
    assert sum(rows.values_list("last_seq", flat=True)) == reference["messages"] == messages.count()

    contacts = Contact.objects.for_client(acme.client.pk).exclude(source="")
    assert len(set(contacts.exclude(name="").values_list("name", flat=True))) == reference["distinct_customer_names"]
    assert contacts.filter(name="").count() == reference["dialogues_without_customer_name"]
    made = Agent.objects.for_client(acme.client.pk).filter(kind="human").exclude(agent_id="agent_1")
    assert made.count() == reference["distinct_agents"]
    top = reference["dialogues_per_agent_top10"]
    assert dict(
        rows.filter(assigned_agent__name__in=top).values_list("assigned_agent__name").annotate(Count("id"))
    ) == top  # fmt: skip
    assert rows.filter(participant_count=2).count() == 2000

    said: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    columns = ("conversation_id", "seq", "is_customer", "sender_agent_id", "created_at", "text")
    for pk, *message in messages.order_by("conversation_id", "seq").values_list(*columns):
        said[pk].append(tuple(message))
    assert all([seq for seq, *_ in lines] == list(range(1, len(lines) + 1)) for lines in said.values())
    per_dialogue = summary_of([len(lines) for lines in said.values()])
    assert per_dialogue == pytest.approx(reference["messages_per_dialogue"], abs=0.006)
    chars = summary_of([len(text) for lines in said.values() for *_, text in lines])
    assert chars == approximately(reference["chars_per_message"])

    responses: dict[str, list[float]] = defaultdict(list)
    durations: dict[str, list[float]] = defaultdict(list)
    days: Counter[str] = Counter()
    for pk, channel, external_id in rows.values_list("pk", "channel", "external_id"):
        lines = said[pk]
        if channel == "webchat":
            days.update(at.strftime("%Y-%m-%d") for *_, at, _ in lines)
        if external_id in timeless:
            assert {(b[3] - a[3]).total_seconds() for a, b in zip(lines, lines[1:], strict=False)} == {1.0}
            continue
        asked = next(place for place, line in enumerate(lines) if line[1])
        answered = next(line for line in lines[asked:] if line[2])
        responses[channel].append((answered[3] - lines[asked][3]).total_seconds())
        durations[channel].append((lines[-1][3] - lines[0][3]).total_seconds())
    assert days == reference["messages_by_utc_day_webchat"]
    for channel in ("webchat", "irc"):
        assert summary_of(responses[channel]) == approximately(reference["first_response_s"][channel])
        assert summary_of(durations[channel]) == approximately(reference["duration_s"][channel])

    for word, expected in reference["word_messages"].items():
        pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
        hits = [sum(bool(pattern.search(line[-1])) for line in lines) for lines in said.values()]
        assert (sum(hits), sum(map(bool, hits))) == (expected, reference["word_dialogues"][word]), word

    finished = rows.filter(status__in=["resolved", "closed"])
    assert StateChange.objects.filter(conversation__in=finished).count() == StateChange.objects.count() == 1280
    assert not finished.filter(staff_unread__gt=0).exists()
    assert SessionHistory.objects.filter(conversation__in=rows).count() >= 2000
    assert Event.objects.filter(kind="conversation.created", data__imported=True).count() == 2000

    assert "0 conversations added, 2,000 already there; 0 messages, 0 private lines" in run(path, acme, capsys)
    assert messages.count() == reference["messages"]
    call_command("verify_integrity")
    assert "2,000 conversations recounted: 0 differences" in capsys.readouterr().out


def test_a_dry_run_counts_and_writes_nothing(acme: NewTenant, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(shared / "data/transcripts-dev.jsonl.gz", acme, capsys, "--dry-run")
    assert told.startswith(
        "Acme: 2,000 conversations to add, 0 already there; 28,363 messages, 2,716 private lines; 0 bad lines;"
    )
    assert Conversation.objects.count() == Message.objects.count() == 0
    assert Contact.objects.for_client(acme.client.pk).count() == 1
    assert Agent.objects.for_client(acme.client.pk).count() == 3
