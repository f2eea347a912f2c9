"""What an import makes of a dialogue, and what it refuses."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clients.actions import NewTenant, create_agent
from clients.models import Agent, Contact
from conversations.actions import contact_of_phone, delete_conversation, tag_names
from conversations.models import Conversation, Event, Tag
from messaging.actions import create_rule
from messaging.models import Message

from .transcripts import dialogue, saying, write

pytestmark = pytest.mark.django_db


def run(path: Path, tenant: NewTenant, *arguments: str) -> None:
    call_command("import_transcripts", str(path), "--client", str(tenant.client.uuid), *arguments)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dialogues.jsonl"


@pytest.mark.contract("behaviour: resolved, completed → resolved", "behaviour: system lines become events")
def test_a_resolved_dialogue_becomes_a_conversation(acme: NewTenant, file: Path) -> None:
    run(write(file, dialogue(1, tags=["Damage", "damage", "Envío"])), acme)

    row = Conversation.objects.get(external_id="desk-1")
    first, last = datetime(2024, 3, 4, 9, tzinfo=UTC), datetime(2024, 3, 4, 9, 40, tzinfo=UTC)
    assert (row.client_id, row.channel, row.title, row.title_folded) == (
        acme.client.pk, "webchat", "A broken lamp", "a broken lamp"
    )  # fmt: skip
    assert (row.status, row.status_changed_at, row.use_bot, row.owner_id) == ("resolved", last, False, None)
    assert row.metadata == {"state_changed_at": "2024-03-04T09:40:00Z", "previous_state": "active"}
    assert (row.created_at, row.updated_at, row.activity_at, row.last_message_at) == (first, last, last, last)
    assert (row.message_count, row.last_seq, row.last_message_seq, row.last_message_text) == (3, 4, 4, "Thank you!")
    assert (row.staff_unread, row.staff_read_seq, row.owner_unread, row.waiting_since) == (0, 4, 0, last)
    [change] = row.state_changes.all()
    assert (change.old, change.new, change.reason, change.created_at) == ("active", "resolved", "import", last)

    contact = Contact.objects.get(client=acme.client, name="Niamh Kelly")
    agent = Agent.objects.get(client=acme.client, name="Tomás Ruiz")
    assert (agent.agent_id, agent.kind, agent.is_active, row.assigned_agent) == ("tomas-ruiz", "human", True, agent)
    people = row.participants.order_by("id")
    assert [(one.role, one.contact, one.agent, one.joined_at) for one in people] == [
        ("customer", contact, None, first),
        ("agent", None, agent, first),
    ]
    said = row.messages.order_by("seq").values_list("seq", "type", "visibility", "is_customer", "sender_name", "status")
    assert list(said) == [
        (1, "text", "public", True, "Niamh Kelly", "sent"),
        (2, "event", "private", False, "system", "sent"),
        (3, "text", "public", False, "Tomás Ruiz", "sent"),
        (4, "text", "public", True, "Niamh Kelly", "sent"),
    ]
    sessions = row.sessions.order_by("session_start").values_list("session_start", "messages_count", "duration_minutes")
    assert list(sessions) == [(first, 2, 2), (last, 1, 0)]
    assert sorted(row.tags.values_list("name", flat=True)) == ["Damage", "Envío"]
    [event] = Event.objects.filter(conversation=row)
    assert (event.kind, event.data["imported"]) == ("conversation.created", True)


@pytest.mark.contract("behaviour: resolved, completed → resolved")
@pytest.mark.parametrize(
    ("_case", "outcome", "status", "unread", "changes"),
    [
        ("completed", "completed", "resolved", 0, 1),
        ("abandoned", "abandoned", "closed", 0, 1),
        ("unresolved", "unresolved", "active", 2, 0),
        ("null", None, "active", 2, 0),
    ],
)
def test_the_outcome_decides_the_state(
    acme: NewTenant, file: Path, _case: str, outcome: str | None, status: str, unread: int, changes: int
) -> None:
    run(write(file, dialogue(1, outcome=outcome)), acme)
    row = Conversation.objects.get(external_id="desk-1")
    assert (row.status, row.staff_unread, row.owner_unread, row.state_changes.count()) == (
        status, unread, 1 if unread else 0, changes
    )  # fmt: skip


@pytest.mark.contract("behaviour: Without times: one second apart")
def test_without_times_messages_are_one_second_apart_and_end_now(acme: NewTenant, file: Path) -> None:
    before = timezone.now()
    run(write(file, dialogue(1, **saying({}, {}, {"sender": "agent"}))), acme)
    after = timezone.now()
    times = list(Message.objects.order_by("seq").values_list("created_at", flat=True))
    assert [b - a for a, b in zip(times, times[1:], strict=False)] == [timedelta(seconds=1)] * 2
    assert before <= times[-1] <= after


def test_the_order_of_the_file_stays_whatever_the_clocks_said(acme: NewTenant, file: Path) -> None:
    late, early = "2024-03-04T09:50:00Z", "2024-03-04T09:00:00Z"
    lines = saying({"at": late, "text": "First"}, {"at": early, "text": "Second", "sender": "agent"})
    run(write(file, dialogue(1, **lines)), acme)
    row = Conversation.objects.get()
    assert list(row.messages.order_by("seq").values_list("text", flat=True)) == ["First", "Second"]
    assert (row.last_message_text, row.last_message_seq) == ("Second", 2)
    assert [row.created_at, row.last_message_at] == [datetime.fromisoformat(early), datetime.fromisoformat(late)]
    call_command("verify_integrity")


@pytest.mark.contract("behaviour: system lines become events")
def test_a_dialogue_of_system_lines_alone_has_no_messages(acme: NewTenant, file: Path) -> None:
    run(write(file, dialogue(1, **saying({"sender": "system", "at": "2024-03-04T09:00:00Z"}))), acme)
    row = Conversation.objects.get()
    assert (row.message_count, row.last_seq, row.last_message_at, row.last_message_text) == (0, 1, None, "")
    assert row.activity_at == row.created_at == datetime(2024, 3, 4, 9, tzinfo=UTC)
    call_command("verify_integrity")


def test_a_long_dialogue_goes_in_whole(acme: NewTenant, file: Path) -> None:
    sides = [{"sender": "agent" if number % 2 else "customer", "text": f"Line {number}"} for number in range(12_000)]
    run(write(file, dialogue(1, **saying(*sides))), acme)
    row = Conversation.objects.get()
    assert (row.message_count, row.last_seq, row.last_message_text) == (12_000, 12_000, "Line 11999")
    call_command("verify_integrity")


@pytest.mark.contract("behaviour: One contact per customer name")
def test_one_contact_for_each_name_within_a_source(acme: NewTenant, file: Path) -> None:
    contact_of_phone(acme.client.pk, "12025550188")
    named = {"customer": {"name": "Ada"}}
    phone = {"customer": {"name": "12025550188"}}
    lines = [
        dialogue(1, **named),
        dialogue(2, **named),
        dialogue(3, external_id="night-desk-3", **named),
        dialogue(4, external_id="77", **named),
        dialogue(5, external_id="no-number", **named),
        dialogue(6, customer={}),
        dialogue(7, customer=None),
        dialogue(8, external_id="phone-8", **phone),
    ]
    run(write(file, *lines), acme)
    made = Contact.objects.filter(source__startswith="import").order_by("id")
    assert list(made.values_list("source", "source_key")) == [
        ("import:desk", "Ada"),
        ("import:night-desk", "Ada"),
        ("import:webchat", "Ada"),
        ("import", "desk-6"),
        ("import", "desk-7"),
        ("import:phone", "12025550188"),
    ]
    assert made[0].participations.count() == made[2].participations.count() == 2


@pytest.mark.contract("behaviour: One contact per customer name")
def test_agents_are_those_of_the_client_by_name(acme: NewTenant, rival: NewTenant, file: Path) -> None:
    known = create_agent(client=acme.client, agent_id="emp_7", name="Tomás Ruiz")
    create_agent(client=rival.client, agent_id="emp_8", name="Ann")
    lines = [
        dialogue(1),
        dialogue(2, agent={"name": "Ann"}),
        dialogue(3, agent={"name": "Ann!"}),
        dialogue(4, agent={"name": "Assistant"}),
        dialogue(5, agent={"name": "安"}),
        dialogue(6, agent=None),
        dialogue(7, agent=None, **saying({})),
    ]
    run(write(file, *lines), acme)
    who = Conversation.objects.order_by("id").values_list("assigned_agent__agent_id", flat=True)
    assert list(who) == ["emp_7", "ann", "ann-2", "assistant-2", "agent", "agent-2", None]
    assert Agent.objects.filter(pk=known.pk, name="Tomás Ruiz").exists()
    assert Conversation.objects.get(external_id="desk-7").participant_count == 1


def test_two_clients_are_independent(acme: NewTenant, rival: NewTenant, file: Path) -> None:
    write(file, dialogue(1, tags=["damage"]))
    run(file, acme)
    call_command("import_transcripts", str(file), "--client", "Rival")
    assert list(Conversation.objects.order_by("id").values_list("client", flat=True)) == [
        acme.client.pk, rival.client.pk
    ]  # fmt: skip
    for model in (Contact.objects.filter(name="Niamh Kelly"), Agent.objects.filter(name="Tomás Ruiz"), Tag.objects):
        assert sorted(model.values_list("client", flat=True)) == [acme.client.pk, rival.client.pk]
    for row in Conversation.objects.all():
        assert set(row.messages.values_list("client", flat=True)) == {row.client_id}
        assert {row.assigned_agent.client_id, *row.tags.values_list("client", flat=True)} == {row.client_id}


def test_what_is_there_is_left_alone(acme: NewTenant, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(file, dialogue(1), dialogue(1, subject="Twice in one file"), dialogue(2))
    run(file, acme)
    assert "2 conversations added, 1 already there" in capsys.readouterr().out
    Conversation.objects.filter(external_id="desk-1").update(title="Renamed since")
    run(file, acme)
    assert "0 conversations added, 3 already there" in capsys.readouterr().out
    assert sorted(Conversation.objects.values_list("title", flat=True)) == ["A broken lamp", "Renamed since"]
    assert Message.objects.count() == 8


def test_a_deleted_conversation_frees_its_external_id(acme: NewTenant, file: Path) -> None:
    from conftest import caller_of

    write(file, dialogue(1))
    run(file, acme)
    delete_conversation(conversation=Conversation.objects.get(), by=caller_of(acme.staff.user))
    run(file, acme)
    assert Conversation.objects.filter(external_id="desk-1").count() == 2
    assert Conversation.objects.alive().count() == 1


DEEP = '{"external_id": "desk-9", "x": ' + "[" * 30 + "]" * 30 + "}"
BAD: list[tuple[str, dict[str, Any] | str | bytes, str]] = [
    ("not JSON", "{'single': 'quotes'}", "not JSON"),
    ("cut off", json.dumps(dialogue(9))[:100], "not JSON"),
    ("not an object", "[1, 2]", "not a JSON object"),
    ("duplicate key", '{"external_id": "a-1", "external_id": "a-2"}', 'duplicate key "external_id"'),
    ("NaN", '{"external_id": NaN}', "NaN is not JSON"),
    ("not UTF-8", b'{"external_id": "\xff\xfe"}', "not UTF-8"),
    ("NUL", dialogue(9, **saying({"text": "a\0b"})), "NUL characters"),
    ("NUL in a field that is not read", dialogue(9, note="\0"), "NUL characters"),
    ("lone surrogate", dialogue(9, subject="\ud83d"), "lone surrogates"),
    ("deep", DEEP, "nested deeper"),
    ("very deep", "[" * 100_000, "not JSON"),
    ("endless number", '{"external_id": ' + "9" * 5000 + "}", "not JSON"),
    ("too long", b'{"x": "' + b"y" * (8 * 1024 * 1024) + b'"}', "longer than 8 MiB"),
    ("no id", {k: v for k, v in dialogue(9).items() if k != "external_id"}, "external_id: missing"),
    ("id of another type", dialogue(9, external_id=9), "external_id: must be text"),
    ("empty id", dialogue(9, external_id=" "), "external_id: empty"),
    ("long id", dialogue(9, external_id="d" * 65), "external_id: longer than 64 characters"),
    ("no channel", dialogue(9, channel=None), "channel: must be text"),
    ("long channel", dialogue(9, channel="c" * 51), "channel: longer than 50 characters"),
    ("long subject", dialogue(9, subject="s" * 256), "subject: longer than 255 characters"),
    ("customer of another type", dialogue(9, customer="Ada"), "customer: must be an object"),
    ("long name", dialogue(9, customer={"name": "n" * 256}), "customer.name: longer than 255 characters"),
    ("name of another type", dialogue(9, agent={"name": ["Ann"]}), "agent.name: must be text"),
    ("unknown outcome", dialogue(9, outcome="won"), 'outcome: "won" is unknown'),
    ("outcome of another type", dialogue(9, outcome=True), "outcome: must be text"),
    ("tags of another type", dialogue(9, tags="damage"), "tags: must be a list"),
    ("empty tag", dialogue(9, tags=[""]), "tags: each is 1 to 50 characters"),
    ("long tag", dialogue(9, tags=["t" * 51]), "tags: each is 1 to 50 characters"),
    ("tag that folds long", dialogue(9, tags=["\ufdfa" * 50]), "tags: each is 1 to 50 characters"),
    ("no messages", dialogue(9, messages=[]), "messages: none"),
    ("too many messages", dialogue(9, **saying(*[{}] * 50_001)), "messages: more than 50000"),
    ("messages of another type", dialogue(9, messages={}), "messages: must be a list"),
    ("message of another type", dialogue(9, messages=["Hello"]), "message 1: must be an object"),
    ("unknown sender", dialogue(9, **saying({}, {"sender": "robot"})), 'message 2: sender: "robot" is unknown'),
    ("no text", dialogue(9, messages=[{"sender": "agent"}]), "message 1: text: missing"),
    ("empty text", dialogue(9, **saying({"text": " \n"})), "message 1: text: empty"),
    ("long text", dialogue(9, **saying({"text": "é" * 32_769})), "message 1: text: longer than 65536 bytes"),
    ("no time", dialogue(9, **saying({"at": "yesterday"})), 'message 1: at: "yesterday" is no time'),
    ("no such day", dialogue(9, **saying({"at": "2024-02-30T10:00:00Z"})), "is no time"),
    ("time as a number", dialogue(9, **saying({"at": 1709542800})), "message 1: at: must be text"),
    ("out of range", dialogue(9, **saying({"at": "9999-12-31T23:59:59-12:00"})), "is no time"),
    ("in the future", dialogue(9, **saying({"at": "2124-01-01T00:00:00Z"})), "in the future"),
    ("mixed", dialogue(9, **saying({"at": "2024-03-04T09:00:00Z"}, {})), 'some have "at" and some have none'),
]


@pytest.mark.parametrize(("_case", "line", "reason"), BAD, ids=[case for case, _, _ in BAD])
def test_a_bad_line_is_told_and_the_rest_goes_in(
    acme: NewTenant,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    _case: str,
    line: dict[str, Any] | str | bytes,
    reason: str,
) -> None:
    write(file, dialogue(1), line, "", dialogue(2))
    with pytest.raises(CommandError, match="1 bad lines were left out") as refused:
        run(file, acme)
    assert refused.value.returncode == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"{file}:2: ")
    assert reason in told.err
    assert "2 conversations added" in told.out
    assert "1 bad lines" in told.out
    assert sorted(Conversation.objects.values_list("external_id", flat=True)) == ["desk-1", "desk-2"]
    assert Message.objects.count() == 8


@pytest.mark.parametrize(
    ("_case", "line"),
    [
        ("unknown fields", dialogue(9, priority=3, **saying({"read": True}))),
        ("the longest text", dialogue(9, **saying({"text": "é" * 32_768}))),
        ("other time zones", dialogue(9, **saying({"at": "2024-03-04T10:00:00.250+01:00"}))),
        ("spaces around", dialogue(9, external_id=" desk-9 ", customer={"name": " Ada "})),
        ("byte order mark", b"\xef\xbb\xbf" + json.dumps(dialogue(9)).encode()),
    ],
)
def test_odd_but_good_lines(acme: NewTenant, file: Path, _case: str, line: dict[str, Any] | bytes) -> None:
    run(write(file, line), acme)
    assert Conversation.objects.get().external_id == "desk-9"
    if _case == "other time zones":
        assert Message.objects.get().created_at == datetime(2024, 3, 4, 9, 0, 0, 250_000, tzinfo=UTC)


def test_several_files_plain_and_gzip(acme: NewTenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = write(tmp_path / "a.jsonl", dialogue(1))
    packed = tmp_path / "b.jsonl"  # known by its content, whatever its name
    packed.write_bytes(gzip.compress(json.dumps(dialogue(2)).encode()))
    call_command("import_transcripts", str(plain), str(packed), "--client", "Acme", "--progress")
    told = capsys.readouterr()
    assert "2 conversations added" in told.out
    assert "100%" in told.err


def test_a_damaged_file_gives_what_can_be_read(
    acme: NewTenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [dialogue(number, subject=f"Lamp {number * 7919}") for number in range(500)]
    whole = gzip.compress("\n".join(map(json.dumps, lines)).encode())
    damaged = tmp_path / "cut.jsonl.gz"
    damaged.write_bytes(whole[: len(whole) * 9 // 10])
    other = write(tmp_path / "whole.jsonl", dialogue(1000))
    with pytest.raises(CommandError, match="1 files could not be read to the end"):
        call_command("import_transcripts", str(damaged), str(other), "--client", "Acme")
    read = Conversation.objects.filter(channel="webchat").exclude(external_id="desk-1000").count()
    assert 0 < read < 500
    assert f"{damaged}:{read + 1}: the file cannot be read further" in capsys.readouterr().err
    assert Conversation.objects.filter(external_id="desk-1000").exists()


def test_what_only_the_database_refuses_keeps_no_other_line_out(
    acme: NewTenant, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A check that was forgotten: the constraint on the channel is the last to refuse.
    monkeypatch.setattr("messaging.importing.dialogues._words", _words_that_miss_an_empty_channel)
    write(file, *(dialogue(number, channel="" if number == 3 else "webchat") for number in range(6)))
    with pytest.raises(CommandError, match="1 bad lines were left out"):
        run(file, acme)
    assert f"{file}:4: the database refuses it" in capsys.readouterr().err
    assert sorted(Conversation.objects.values_list("external_id", flat=True)) == [
        f"desk-{number}" for number in (0, 1, 2, 4, 5)
    ]


def _words_that_miss_an_empty_channel(data: dict[str, Any], key: str, longest: int, *, required: bool = False) -> str:
    return (data.get(key) or "").strip()


@pytest.mark.parametrize(
    ("_case", "arguments"),
    [
        ("unknown client", ["{file}", "--client", "Nobody"]),
        ("unknown id", ["{file}", "--client", "01a1fc51-75a2-746d-8576-19c2eb3e42b8"]),
        ("no such file", ["{file}", "{file}.absent", "--client", "Acme"]),
    ],
)
def test_unusable_arguments_write_nothing(acme: NewTenant, file: Path, _case: str, arguments: list[str]) -> None:
    write(file, dialogue(1))
    with pytest.raises(CommandError) as refused:
        call_command("import_transcripts", *(argument.format(file=file) for argument in arguments))
    assert refused.value.returncode == 2
    assert not Conversation.objects.exists()


def test_a_dry_run_tells_what_would_happen(acme: NewTenant, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(write(file, dialogue(1)), acme)
    write(file, dialogue(1), dialogue(2), dialogue(2), dialogue(3, messages=[]))
    capsys.readouterr()
    with pytest.raises(CommandError):
        run(file, acme, "--dry-run")
    told = capsys.readouterr()
    assert "1 conversations to add, 2 already there; 3 messages, 1 private lines; 1 bad lines" in told.out
    assert f"{file}:4: messages: none" in told.err
    assert Conversation.objects.count() == 1


@pytest.mark.contract("behaviour: One contact per customer name")
def test_auto_tags_come_when_they_are_asked_for(acme: NewTenant, tmp_path: Path) -> None:
    """after the dialogue's own, for what customers say alone; rules do not run"""
    create_rule(client=acme.client, name="Shut", type="deny", channel="webchat", auto_reply="Shut.", route_to="shut")
    said = [
        ("customer", "¿El PRECIO?"),
        ("agent", "un problema"),
        ("system", "error"),
        ("customer", "URGENTEMENTE, precio"),
    ]
    lines = [{"sender": sender, "text": text} for sender, text in said]
    full = [f"tag {n}" for n in range(99)]
    for number, arguments in enumerate([(), ("--auto-tag",), ("--auto-tag", "--dry-run")]):
        file = write(
            tmp_path / f"{number}.jsonl",
            dialogue(number * 2, messages=lines, tags=["Comercial", "vip"]),
            dialogue(number * 2 + 1, messages=lines, tags=full),
        )
        run(file, acme, *arguments)
    rows = Conversation.objects.order_by("external_id")
    assert [row.external_id for row in rows] == [f"desk-{n}" for n in range(4)]
    names = [tag_names(row) for row in rows]
    assert names == [
        ["Comercial", "vip"], full, ["Comercial", "vip", "alta_prioridad"], [*full, "Comercial"],
    ]  # fmt: skip
    assert {row.queue for row in rows} == {""}
    assert not Message.objects.filter(text="Shut.").exists()
    call_command("verify_integrity")
