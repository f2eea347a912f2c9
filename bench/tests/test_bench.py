"""The benchmark in small: what it fills in is sound, and both servers answer alike."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psutil
import pytest
from django.core.management import call_command
from django.db import connection

from bench import fill, record, report, search, servers, streams, traffic
from bench.rounds import run
from clients import actions
from clients.callers import system_caller
from clients.models import Client
from conftest import database_environment
from conversations.models import Conversation, Participant
from messaging.models import Message

MESSAGES = 2000


@pytest.fixture
def filled(transactional_db: None) -> None:
    assert fill.filled() is None
    fill.fill(MESSAGES)


def recount() -> str:
    """The oracle's words; it raises where a figure differs."""
    said = StringIO()
    call_command("verify_integrity", stdout=said)
    return said.getvalue()


def test_every_figure_is_what_its_messages_say(filled: None) -> None:
    assert fill.filled() == MESSAGES == Message.objects.count()
    assert Conversation.objects.count() == MESSAGES // 50
    assert Participant.objects.count() == 2 * Conversation.objects.count()
    assert "40 conversations recounted: 0 differences" in recount()
    call_command("reindex_search", "--verify", stdout=StringIO())  # it raises where a message is indexed otherwise
    times = search.Times()
    for texts in search.queries(of_each=1).values():
        search.one(times, system_caller(Client.objects.order_by("pk")[0]), texts[0], by_rank=True)
    assert len(times.page) == len(times.totals) == 9
    assert times.totals[0] > 0
    for row in Conversation.objects.all():
        in_time = Message.objects.of(row.pk).order_by("created_at", "seq").values_list("seq", flat=True)
        assert list(in_time) == list(range(1, row.message_count + 1))


def test_the_database_of_others_is_left_alone(db: None) -> None:
    actions.create_client(name="A real company")
    with pytest.raises(fill.NotOurs, match="A real company"):
        fill.filled()
    assert Client.objects.count() == 1


@pytest.fixture
def both(filled: None, tmp_path: Path) -> Iterator[tuple[list[servers.Server], dict[str, float]]]:
    if connection.vendor != "postgresql":
        pytest.skip("the bare server speaks PostgreSQL only")
    found = record.record()
    found.write(str(tmp_path / "statements.json"))
    started = []
    try:
        started.append(servers.ours(workers="1", **database_environment()))
        started.append(servers.bare(str(tmp_path / "statements.json"), workers="1", **database_environment()))
        yield started, record.queries_per_request(found)
    finally:
        for server in started:
            server.stop()


def test_the_bare_server_answers_and_counts_as_ours_does(
    both: tuple[list[servers.Server], dict[str, float]],
) -> None:
    started, queries = both
    requests = traffic.requests(traffic.tokens(), spread=40)
    assert traffic.difference([server.port for server in started], requests) == ""

    rounds, load_cpu = run(started, requests, rounds=1, clients=2, seconds=0.4)
    assert [one.errors for one in rounds] == [0] * 6
    assert min(one.rate for one in rounds) > 0
    assert 0 < load_cpu < 1
    assert "0 differences" in recount()  # after the sends of both
    text = report.table(report.lines(rounds, queries), report.ratios(rounds), traffic.OPERATIONS)
    assert [line.split("  ")[0] for line in text.splitlines()[2:8:2]] == list(traffic.OPERATIONS.values())


def test_a_server_leaves_no_process_behind(both: tuple[list[servers.Server], dict[str, float]]) -> None:
    started, _ = both
    trees = [process for one in started for process in psutil.Process(one.process.pid).children(recursive=True)]
    assert trees
    for server in started:
        server.stop()
    _, alive = psutil.wait_procs(trees, timeout=10)
    assert alive == []
    assert all(server.process.poll() is not None for server in started)


def test_subscribers_are_told(filled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """the measure of streams, in small: each figure is there, and every message arrived"""
    monkeypatch.setattr(streams, "SLICE", 0.3)
    started: list[servers.Server] = []

    def start(**environment: str) -> servers.Server:
        started.append(servers.ours("1", **database_environment(), **environment))
        return started[-1]

    tokens = traffic.tokens()
    said = streams.measure(tokens, traffic.requests(tokens, spread=20)["send"], start, count=3, rounds=1, clients=2)
    assert [line[:24].strip() for line in said.split("\n")] == [
        "until it is told of", "", "one at a time", "2 others send too", "",
        "a message sent", "bell", "no bell", "bell, and a stream",
    ]  # fmt: skip
    assert len(started) == 2
    assert all(server.process.poll() is not None for server in started)
    assert "0 differences" in recount()
