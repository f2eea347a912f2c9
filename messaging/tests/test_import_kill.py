"""An import that is killed, and two at the same time: every dialogue is in once and whole."""

import gzip
import signal
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from clients.actions import NewTenant, create_tenant
from clients.models import Agent, Contact
from conversations.models import Conversation, Event, Participant, SessionHistory, StateChange
from messaging.models import Message

from .transcripts import start_import

DIALOGUES = 900


@pytest.fixture
def tenant(transactional_db: None) -> NewTenant:
    return create_tenant(name="Acme", session_id="ses_acme")


@pytest.fixture
def part(shared: Path, tmp_path: Path) -> Path:
    """The first dialogues of the real file."""
    path = tmp_path / "part.jsonl"
    with gzip.open(shared / "data/transcripts-dev.jsonl.gz") as whole, path.open("wb") as file:
        file.writelines(islice(whole, DIALOGUES))
    return path


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"not within 60 s: {what}"
        time.sleep(0.005)


def figures(tenant: NewTenant) -> dict[str, Any]:
    """Everything that an import adds, counted."""
    rows = Conversation.objects.for_client(tenant.client.pk)
    of_rows = (Participant, Message, SessionHistory, StateChange, Event)
    return {
        **{model.__name__: model.objects.filter(conversation__in=rows).count() for model in of_rows},
        **{model.__name__: model.objects.for_client(tenant.client.pk).count() for model in (Contact, Agent)},
        "states": dict(rows.values_list("status").annotate(Count("id"))),
        **rows.aggregate(Count("id"), Count("external_id", distinct=True), Sum("message_count"), Sum("last_seq")),
    }


def test_a_rerun_after_kills_ends_at_the_same_figures(tenant: NewTenant, part: Path) -> None:
    for _ in range(2):
        before = Conversation.objects.count()
        running = start_import(str(part), "--client", "Acme")
        wait_until(lambda: Conversation.objects.count() > before, "the first batch")  # noqa: B023
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert before < Conversation.objects.count() < DIALOGUES
        call_command("verify_integrity")
        assert not Conversation.objects.filter(messages=None).exists()
    there = Conversation.objects.count()
    rerun = start_import(str(part), "--client", "Acme")
    told, complaints = rerun.communicate(timeout=120)
    assert (rerun.returncode, complaints) == (0, "")
    assert f"Acme: {DIALOGUES - there:,} conversations added, {there:,} already there" in told
    call_command("verify_integrity")
    undisturbed = create_tenant(name="Undisturbed")
    call_command("import_transcripts", str(part), "--client", "Undisturbed")
    assert figures(tenant) == figures(undisturbed)
    assert figures(tenant)["id__count"] == figures(tenant)["external_id__count"] == DIALOGUES


def test_two_importers_at_once_add_everything_once(tenant: NewTenant, part: Path) -> None:
    running = [start_import(str(part), "--client", "Acme") for _ in range(2)]
    added = 0
    for one in running:
        told, complaints = one.communicate(timeout=120)
        assert (one.returncode, complaints) == (0, "")
        added += int(told.split(" conversations added")[0].rpartition(" ")[2].replace(",", ""))
    assert added == DIALOGUES
    assert Conversation.objects.count() == Event.objects.count() == DIALOGUES
    agents = Agent.objects.filter(kind="human").values_list("name", flat=True)
    assert len(agents) == len(set(agents))
    named = Contact.objects.exclude(source="").values_list("source", "source_key")
    assert len(named) == len(set(named))
    call_command("verify_integrity")


def test_lines_from_standard_input(tenant: NewTenant, part: Path) -> None:
    lines = part.read_text().splitlines(keepends=True)[:30]
    running = start_import("-", "--client", "Acme")
    told, complaints = running.communicate("".join([*lines, "{}\n"]), timeout=60)
    assert running.returncode == 1
    assert complaints.splitlines()[0] == "-:31: messages: missing"
    assert "30 conversations added" in told


def test_the_exit_code_of_an_unknown_client(tenant: NewTenant, part: Path) -> None:
    running = start_import(str(part), "--client", "Nobody")
    told, complaints = running.communicate(timeout=60)
    assert (running.returncode, told) == (2, "")
    assert "No client has the id or the name 'Nobody'." in complaints
    with pytest.raises(CommandError):
        call_command("verify_integrity", "--client", "Nobody")
