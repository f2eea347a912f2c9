"""`apply_retention`: what is due goes whole, what is not stays, to the second; whenever it is stopped."""

import io
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from chatplatform.db.alone import number_of, sole
from chatplatform.tests.store import everything
from clients import actions as people
from clients.callers import system_caller
from clients.credentials import issue_tokens
from clients.models import IdempotencyKey, RefreshToken
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation
from messaging import retention
from messaging.actions import add_note, send_message
from messaging.integrity import verify
from messaging.models import DoomedFile, Message, Upload
from messaging.retention.removal import dependents
from messaging.senders import as_agent, as_contact

NOW = datetime(2027, 3, 1, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
#: What every conversation of these tests has.
HANGS = {
    "conversations.StateChange", "conversations.SessionHistory", "conversations.Event", "conversations.Participant",
    "conversations.ConversationTag", "messaging.Message", "messaging.Attachment", "messaging.Upload",
}  # fmt: skip


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> Any:
    """The log of events, which goes sooner than anything here, has tests of its own."""
    with override_settings(MEDIA_ROOT=tmp_path / "files", RETENTION_EVENT_DAYS=0):
        yield tmp_path / "files"


@pytest.fixture
def other(db: None) -> Any:
    return people.create_tenant(name="Rival", session_id="ses_rival")


def stored(files: Path) -> set[str]:
    return {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()} if files.exists() else set()


def conversation(tenant: Any, at: datetime, *, messages: int = 2, files: int = 1, **columns: Any) -> Conversation:
    """With a row of everything that can hang off one."""
    by = system_caller(tenant.client)
    with time_machine.travel(at, tick=False):
        row = actions.create_conversation(
            client_id=tenant.client.pk, by=by, channel="whatsapp", title="Broken cup", tags=["cups"],
            people=[Person(contact_id=tenant.contacts[0].pk), Person(agent_id=tenant.agents[0].pk)], **columns,
        )  # fmt: skip
        for number in range(messages):
            uploads = [upload(row)] if number < files else []
            kind = {"type": "image"} if uploads else {}
            send_message(
                conversation=row, sender=as_contact(tenant.contacts[0]), text=f"Line {number}", uploads=uploads, **kind
            )
        add_note(conversation=row, sender=as_agent(tenant.agents[0]), text="Be kind")
        row.refresh_from_db()
    return row


def upload(row: Conversation, data: bytes = b"\x89PNG") -> Upload:
    key = default_storage.save(f"{row.client_id}/upload", ContentFile(data))
    now = datetime.now(UTC)
    return Upload.objects.create(
        client_id=row.client_id, conversation=row, file_name="cup.png", content_type="image/png", size=len(data),
        state="ready", storage_key=key, created_at=now, received_at=now, expires_at=now + timedelta(minutes=15),
    )  # fmt: skip


def close(row: Conversation, at: datetime) -> Conversation:
    with time_machine.travel(at, tick=False):
        return actions.change_status(conversation=row, status="closed", by=system_caller(row.client), reason="done")


def run(at: datetime = NOW, **options: Any) -> str:
    shown = io.StringIO()
    with time_machine.travel(at, tick=False):
        call_command("apply_retention", stdout=shown, **options)
    return shown.getvalue()


def rows_of(*pks: int) -> Counter[str]:
    """How many rows name these conversations, or hang off something that does; whatever the tables are."""
    found = Counter({"conversations.Conversation": Conversation.objects.filter(pk__in=pks).count()})
    for model, way in dependents():
        found[model._meta.label] += model._base_manager.filter(**{f"{way}__in": pks}).count()
    return +found


def assert_no_orphans(files: Path) -> None:
    """No row without its conversation, no file without its row, no row without its file."""
    alive = Conversation.objects.values("pk")
    for model, way in dependents():
        assert not model._base_manager.exclude(**{f"{way}__in": alive}).exists(), model
    assert not DoomedFile.objects.exists()
    kept = Upload.objects.filter(removed_at=None).exclude(storage_key="")
    assert stored(files) == set(kept.values_list("storage_key", flat=True))
    assert [difference for _, found in verify() for difference in found] == []
    connection.check_constraints()


def test_what_hangs_off_a_conversation_is_found_by_its_foreign_keys() -> None:
    labels = [model._meta.label for model, _ in dependents()]
    assert set(labels) >= HANGS
    assert labels.index("messaging.Attachment") < labels.index("messaging.Message")
    assert labels.index("messaging.Attachment") < labels.index("messaging.Upload")
    ours = [model for label in ("conversations", "messaging") for model in apps.get_app_config(label).get_models()]
    named = {
        model for model in ours if not model._meta.proxy
        for field in model._meta.fields if field.related_model is Conversation
    }  # fmt: skip
    assert {model for model, _ in dependents()} >= named


@pytest.mark.contract("workspace: Retention (a management")
@pytest.mark.parametrize("state", ["closed", "deleted"])
def test_a_conversation_goes_at_its_second(acme: Any, other: Any, files: Path, state: str) -> None:
    """closed conversations 2 years after closing; deleted ones as long after their deletion"""
    began = NOW - timedelta(days=800)
    limit = NOW - timedelta(days=730)
    due, not_yet, theirs = conversation(acme, began), conversation(acme, began), conversation(other, began)
    for row, at in ((due, limit), (not_yet, limit + SECOND), (theirs, limit - SECOND)):
        if state == "closed":
            close(row, at)
        else:
            with time_machine.travel(at, tick=False):
                actions.delete_conversation(conversation=row, by=system_caller(row.client))
    kept = rows_of(not_yet.pk)
    assert set(kept) == {"conversations.Conversation", *HANGS} - (
        {"conversations.StateChange"} if state == "deleted" else set()
    )

    shown = run()

    assert rows_of(due.pk, theirs.pk) == Counter()
    assert rows_of(not_yet.pk) == kept
    assert "2 conversations, 6 messages" not in shown  # told by client
    assert f"Acme: {state} conversations: " in shown
    assert f"Rival: {state} conversations: " in shown
    Upload.objects.update(removed_at=None)  # the files' own year has passed, too: see below
    with override_settings(RETENTION_MEDIA_DAYS=0):
        run(NOW + SECOND)
    assert rows_of(not_yet.pk) == Counter()
    assert stored(files) == set()


@pytest.mark.contract("workspace: Retention (a management")
@pytest.mark.parametrize("status", ["active", "new", "waiting_for_customer", "escalated", "resolved"])
def test_an_active_conversation_never_goes(acme: Any, files: Path, status: str) -> None:
    """active conversations never"""
    row = conversation(acme, NOW - timedelta(days=9000), status=status)
    if status == "resolved":
        Conversation.objects.filter(pk=row.pk).update(status="resolved", status_changed_at=NOW - timedelta(days=8999))
    before = rows_of(row.pk)
    run()
    assert rows_of(row.pk) == before
    assert stored(files) == set()  # its media are as old


@pytest.mark.contract("workspace: Retention (a management")
def test_a_file_goes_at_its_second_and_its_message_stays(acme: Any, files: Path) -> None:
    """media 1 year"""
    limit = NOW - timedelta(days=365)
    due, not_yet = conversation(acme, limit), conversation(acme, limit + SECOND)
    before = everything()
    assert len(stored(files)) == 2

    shown = run()

    assert "Acme: files in messages: 1 files, 4 bytes" in shown
    [gone, kept] = Upload.objects.order_by("conversation")
    assert (gone.conversation_id, gone.removed_at, gone.state) == (due.pk, NOW, "used")
    assert (kept.conversation_id, kept.removed_at) == (not_yet.pk, None)
    assert stored(files) == {kept.storage_key}
    after = everything()
    assert {name for name in before if before[name] != after[name]} == {"Upload"}
    assert_no_orphans(files)
    run(NOW + SECOND)
    assert stored(files) == set()
    assert_no_orphans(files)


def test_what_only_serves_for_a_time_goes_with_it(acme: Any, settings: Any) -> None:
    for age, name in ((timedelta(hours=24), "due"), (timedelta(hours=24) - SECOND, "kept")):
        IdempotencyKey.objects.create(
            caller=f"token:{name}", digest=name, fingerprint="f", status=200, body=b"{}", created_at=NOW - age
        )
    user = acme.users[0].user
    ended = NOW - settings.ACCESS_TOKEN_LIFETIME
    for expires in (ended, ended + SECOND):
        issue_tokens(user)
        RefreshToken.objects.filter(pk=RefreshToken.objects.latest("pk").pk).update(expires_at=expires)

    shown = run()

    assert [key.digest for key in IdempotencyKey.objects.all()] == ["kept"]
    assert [token.expires_at for token in RefreshToken.objects.all()] == [ended + SECOND]
    assert "Acme: expired refresh tokens: 1 rows" in shown
    assert "answers kept for idempotency keys: 1 rows" in shown


def test_zero_days_keep_for_ever(acme: Any, files: Path) -> None:
    close(conversation(acme, NOW - timedelta(days=4000)), NOW - timedelta(days=3999))
    before = everything()
    with override_settings(RETENTION_CLOSED_DAYS=0, RETENTION_DELETED_DAYS=0, RETENTION_MEDIA_DAYS=0):
        assert run().startswith("Gone: nothing")
    assert everything() == before


def test_a_dry_run_says_what_goes_and_removes_nothing(acme: Any, other: Any, files: Path) -> None:
    for tenant in (acme, acme, other):
        close(conversation(tenant, NOW - timedelta(days=900), files=2), NOW - timedelta(days=800))
    conversation(acme, NOW - timedelta(days=400))
    before, kept = everything(), stored(files)

    shown = run(dry_run=True)

    assert everything() == before
    assert stored(files) == kept
    assert "Acme: closed conversations: 2 conversations, 6 messages, 4 files, 16 bytes" in shown
    assert "Rival: closed conversations: 1 conversations, 3 messages, 2 files, 8 bytes" in shown
    assert "Would go: 3 conversations, 9 messages" in shown
    run()
    assert Counter(Message.objects.values_list("conversation__title", flat=True)) == {"Broken cup": 3}
    assert_no_orphans(files)


def test_one_client_only(acme: Any, other: Any, files: Path) -> None:
    rows = [
        close(conversation(tenant, NOW - timedelta(days=900)), NOW - timedelta(days=800)) for tenant in (acme, other)
    ]
    run(client="Acme")
    assert rows_of(rows[0].pk) == Counter()
    assert rows_of(rows[1].pk) != Counter()
    assert_no_orphans(files)


def test_one_run_at_a_time(acme: Any) -> None:
    with sole(number_of("retention")):
        if connection.vendor == "postgresql":  # another session
            with pytest.raises(CommandError, match="Another run is under way") as refused:
                run()
        else:
            with pytest.raises(CommandError, match="Another run is under way") as refused:
                run()
    assert refused.value.returncode == 3
    run()


def test_a_transaction_has_at_most_a_thousand_rows(acme: Any, files: Path, monkeypatch: Any) -> None:
    """And one long conversation is nobody's from the first of them on, until it is gone."""
    row = close(conversation(acme, NOW - timedelta(days=900), messages=2, files=2), NOW - timedelta(days=800))
    texts = [
        Message(client=acme.client, conversation=row, seq=n, text=f"Line {n}", sender_agent=acme.agents[0])
        for n in range(4, 2504)
    ]
    Message.objects.bulk_create(texts, batch_size=1000)
    expected = rows_of(row.pk)
    gone: Counter[str] = Counter()
    batches = 0
    with time_machine.travel(NOW, tick=False):
        for step in retention.apply():
            assert sum(count for name, count in step.gone.items() if name != "bytes") <= 1000
            batches += 1
            gone += step.gone
            left = Conversation.objects.filter(pk=row.pk).first()
            assert left is None or (left.removing_since, left.deleted_at) == (NOW, NOW)
            assert [difference for _, found in verify() for difference in found] == []
    assert batches == 3
    assert {name: gone[name] for name in expected} == dict(expected)
    assert_no_orphans(files)


class Killed(Exception):
    pass


@pytest.mark.django_db(transaction=True)
def test_stopped_at_any_statement_and_run_again(acme: Any, files: Path) -> None:
    """Rows and files are whole whatever the statement that it was stopped before, and after another run
    they are as if it had never been stopped."""
    _furnish(acme)
    counted = _Stop(sys.maxsize)
    with time_machine.travel(NOW, tick=False), connection.execute_wrapper(counted):
        list(retention.apply())
    statements = sys.maxsize - counted.left
    assert statements > 20
    for number in range(0, statements, 2):
        _furnish(acme)
        stop = _Stop(number)
        with time_machine.travel(NOW, tick=False), pytest.raises(Killed), connection.execute_wrapper(stop):
            list(retention.apply())
        alive = Conversation.objects.values("pk")
        for model, way in dependents():
            assert not model._base_manager.exclude(**{f"{way}__in": alive}).exists(), (number, model)
        needed = set(Upload.objects.filter(removed_at=None).values_list("storage_key", flat=True))
        doomed = set(DoomedFile.objects.values_list("storage_key", flat=True))
        assert needed <= stored(files) <= needed | doomed, number
        run()
        assert not Conversation.objects.filter(status="closed").exists()
        assert_no_orphans(files)


def _furnish(acme: Any) -> None:
    close(conversation(acme, NOW - timedelta(days=900)), NOW - timedelta(days=800))
    conversation(acme, NOW - timedelta(days=400))


class _Stop:
    """Lets so many statements pass; nothing of the one that follows happens, nor anything later."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.left <= 0 and not sql.startswith(("ROLLBACK", "SELECT pg_advisory_unlock", "RELEASE")):
            raise Killed
        self.left -= 1
        return execute(sql, params, many, context)


def test_a_store_that_keeps_a_file_is_told_and_asked_again(acme: Any, files: Path, monkeypatch: Any) -> None:
    conversation(acme, NOW - timedelta(days=400), files=2)

    def refuse(name: str) -> None:
        raise PermissionError(name)

    with monkeypatch.context() as patched:
        patched.setattr(default_storage, "delete", refuse)
        with pytest.raises(CommandError, match="2 files could not be deleted") as refused:
            run()
    assert refused.value.returncode == 1
    assert DoomedFile.objects.count() == len(stored(files)) == 2
    run()
    assert_no_orphans(files)


@pytest.mark.parametrize("name", ["RETENTION_CLOSED_DAYS", "RETENTION_DELETED_DAYS", "RETENTION_MEDIA_DAYS"])
def test_a_limit_beyond_every_calendar_stops_the_start(name: str) -> None:
    def start(days: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from chatplatform import settings"],
            env={**os.environ, name: str(days)}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    for days in (36_526, 800_000, -1):
        refused = start(days)
        assert refused.returncode != 0
        assert name in refused.stderr.splitlines()[-1]
    assert start(36_525).returncode == 0


def test_the_longest_limit_can_be_counted_with(acme: Any) -> None:
    with override_settings(RETENTION_CLOSED_DAYS=36_525, RETENTION_DELETED_DAYS=36_525, RETENTION_MEDIA_DAYS=36_525):
        before = everything()
        run(dry_run=True)
        assert everything() == before
