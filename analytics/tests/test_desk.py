"""The client's own dashboard: by hand, and over the real dialogues."""

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse

from analytics.dashboards import overall
from analytics.desk import desk
from analytics.folding import catch_up
from analytics.models import Scope
from analytics.reading import read
from analytics.verifying import verify
from chatplatform.tests.admin_world import browser_of
from chatplatform.tests.store import staff, statements
from clients.actions import update_client
from clients.callers import system_caller
from conversations.actions import Person, change_status, create_conversation
from messaging.actions import send_message
from messaging.senders import as_agent, as_contact

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
LONG_AGO = date(2004, 1, 1)


@pytest.mark.parametrize("folded", [True, False])
def test_by_hand(acme: Any, folded: bool) -> None:
    update_client(acme.client, time_zone="Asia/Kathmandu")  # 5:45 ahead
    by, (human, bot) = system_caller(acme.client), acme.agents
    contact = as_contact(acme.contacts[0])

    def begin(at: datetime, channel: str, agent: Any) -> Any:
        people = [Person(contact_id=acme.contacts[0].pk), Person(agent_id=agent.pk)]
        return create_conversation(client_id=acme.client.pk, by=by, channel=channel, people=people, at=at)

    with time_machine.travel(NOON, tick=False):
        fax = begin(NOON - timedelta(days=1), "fax", human)
        send_message(conversation=fax, sender=contact, by=by, text="…", created_at=NOON - timedelta(days=1))
        for minutes, sender in ((10, as_agent(human)), (20, contact), (24, as_agent(bot))):
            at = NOON - timedelta(days=1) + timedelta(minutes=minutes)
            send_message(conversation=fax, sender=sender, by=by, text="…", created_at=at)
        change_status(conversation=fax, status="closed", by=by, at=NOON - timedelta(hours=23))
        web = begin(NOON, "web", bot)
        send_message(conversation=web, sender=contact, by=by, text="…", created_at=NOON)
        if folded:
            assert catch_up()
        found = desk(acme.client.pk, 2)
    assert {state: count for state, count in found["states"].items() if count} == {"active": 1, "closed": 1}
    assert len(found["states"]) == 6
    assert found["times"] == {"first_response": 600.0, "response": 420.0, "resolution": 3600.0}
    assert found["days"] == {
        date(2026, 3, 17): {"messages": 4, "by_customers": 2}, date(2026, 3, 18): {"messages": 1, "by_customers": 1},
    }  # fmt: skip
    assert len(found["hours"]) == 24
    # 12:00 UTC is 17:45 there, 12:20 is 18:05.
    assert {hour: volume["messages"] for hour, volume in found["hours"].items() if volume["messages"]} == {17: 3, 18: 2}
    assert list(found["channels"].items()) == [
        ("fax", {"messages": 4, "by_customers": 2, "conversations": 1, "first_response": 600.0, "first_responses": 1,
                 "duration": 3600.0}),
        ("web", {"messages": 1, "by_customers": 1, "conversations": 1, "first_response": None, "first_responses": 0,
                 "duration": 0.0}),
    ]  # fmt: skip
    assert found["agents"] == [
        {"agent_id": bot.pk, "name": bot.name, "open": 1, "messages": 1, "responses": 1, "response": 240.0},
        {"agent_id": human.pk, "name": human.name, "open": 0, "messages": 1, "responses": 1, "response": 600.0},
    ]


def test_the_dev_file_agrees_with_its_reference(acme: Any, shared: Path) -> None:
    """Where both define a figure; theirs count lines of the system too, which are worked out here from the file."""
    reference = json.loads((shared / "data/reference-stats-dev.json").read_text())
    path = shared / "data/transcripts-dev.jsonl.gz"
    call_command("import_transcripts", str(path), "--client", str(acme.client.uuid), "--no-progress")
    with gzip.open(path, "rt") as file:
        dialogues = [json.loads(line) for line in file]
    timed = [one for one in dialogues if "at" in one["messages"][0]]
    system = Counter(
        said["at"][:10] for one in timed if one["channel"] == "webchat" for said in one["messages"]
        if said["sender"] == "system"
    )  # fmt: skip
    tail: Counter[str] = Counter()  # seconds between the last message that customers see and a line behind it
    for one in timed:
        if one["messages"][-1]["sender"] == "system" and one.get("outcome") != "abandoned":
            seen = max(at(said) for said in one["messages"] if said["sender"] != "system")
            tail[one["channel"]] += int((at(one["messages"][-1]) - seen).total_seconds())

    measures = ("messages", "customer_messages", "conversations", "first_responses", "first_response_us", "durations",
                "duration_us")  # fmt: skip
    by_day = read(acme.client.pk, lambda view: view.sums(Scope.CHANNEL, measures, ["name", "day"], since=LONG_AGO))
    total: dict[str, Counter[str]] = {"webchat": Counter(), "irc": Counter()}
    history: dict[str, Counter[str]] = {"webchat": Counter(), "irc": Counter()}  # without those that have no times
    webchat: Counter[str] = Counter()
    for (channel, day), sums in by_day.items():
        total[channel].update(sums)
        if day.year < 2021:
            history[channel].update(sums)
        if channel == "webchat" and sums["messages"]:
            webchat[day.isoformat()] = sums["messages"]
    assert {channel: sums["conversations"] for channel, sums in total.items()} == reference["by_channel"]
    by_sender = reference["messages_by_sender"]
    assert sum(sums["customer_messages"] for sums in total.values()) == by_sender["customer"]
    assert sum(sums["messages"] - sums["customer_messages"] for sums in total.values()) == by_sender["agent"]
    assert webchat + system == Counter(reference["messages_by_utc_day_webchat"])
    for channel, sums in history.items():
        first, whole = reference["first_response_s"][channel], reference["duration_s"][channel]
        assert sums["first_responses"] == first["n"]
        assert sums["first_response_us"] / 1e6 / first["n"] == pytest.approx(first["mean"], abs=0.0006)
        assert sums["durations"] == whole["n"]
        assert (sums["duration_us"] / 1e6 + tail[channel]) / whole["n"] == pytest.approx(whole["mean"], abs=0.0006)
    found = overall(client_id=acme.client.pk)
    assert (found["total_conversations_all_users"], found["total_messages_all_users"]) == (2000, 28_363)
    top = {one["name"]: one["total_conversations"] for one in found["top_performing_agents"]}
    assert top == reference["dialogues_per_agent_top10"]
    assert list(verify(acme.client)) == []


def at(said: dict[str, str]) -> datetime:
    return datetime.fromisoformat(said["at"])


@pytest.mark.usefixtures("plain_static_files")
def test_the_first_page_of_the_admin(acme: Any, rival: Any) -> None:
    def page(user: Any) -> Any:
        return browser_of(user).get(reverse("admin:index"))

    people = [Person(contact_id=rival.contacts[0].pk)]
    by = system_caller(rival.client)
    for number in range(3):
        row = create_conversation(client_id=rival.client.pk, by=by, channel="telex", people=people)
        send_message(conversation=row, sender=as_contact(rival.contacts[0]), by=by, text=f"{number}")
    theirs = page(rival.staff.user)
    front = theirs.context["front"]
    assert [(one["label"], one["messages"]) for one in front["channels"]] == [("telex", 3)]
    assert (front["open"], front["volume"]) == (3, {"messages": 3, "by_customers": 3})
    assert [one["count"] for one in front["lists"]] == [0, 3, 3, 0]
    for link in [*front["lists"], *front["states"], *front["channels"], *front["agents"]]:
        listed = browser_of(rival.staff.user).get(link["address"]).context["cl"]
        assert listed.result_count == link.get("count", link.get("conversations", link.get("open"))), link
    shown = page(acme.staff.user).content.decode()
    assert "The last 30 days" in shown
    assert "telex" not in shown
    agents = page(staff(rival))
    assert "The last 30 days" not in agents.content.decode()
    assert [one["count"] for one in agents.context["front"]["lists"]] == [0, 3, 3, 0]
    browser = browser_of(rival.staff.user)

    def count() -> int:
        return len(statements(lambda: browser.get(reverse("admin:index"))))

    count()
    few = count()
    for number in range(5):
        row = create_conversation(client_id=rival.client.pk, by=by, channel=f"channel {number}", people=people)
        send_message(conversation=row, sender=as_contact(rival.contacts[0]), by=by, text="…")
    assert count() == few
