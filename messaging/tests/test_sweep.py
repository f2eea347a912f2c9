"""sweep_uploads: what goes, at which second, in which order, whoever is killed between."""

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from chatplatform.tests.samples import PNG
from clients.actions import NewTenant
from clients.callers import system_caller
from conversations.actions import create_conversation
from conversations.models import Conversation
from messaging import sweep
from messaging.actions import send_message, store_upload
from messaging.files import key_of, store
from messaging.files.disk import DiskStore
from messaging.integrity import verify
from messaging.models import Upload
from messaging.senders import as_contact
from messaging.sweep import IN_FLIGHT, UNUSED, sweep_uploads


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Any:
    with override_settings(MEDIA_ROOT=tmp_path / "files"):
        yield tmp_path / "files"


@pytest.fixture
def row(acme: NewTenant) -> Conversation:
    return create_conversation(client_id=acme.client.pk, by=system_caller(acme.client), channel="x", people=[])


def bring(row: Conversation) -> Upload:
    by = system_caller(row.client)
    return store_upload(
        conversation=row, by=by, file_name="a.png", content_type="image/png", size=len(PNG), chunks=[PNG]
    )


def use(row: Conversation, acme: NewTenant) -> Upload:
    upload = bring(row)
    send_message(conversation=row, sender=as_contact(acme.contacts[0]), uploads=[upload], text="x")
    return upload


def age(upload: Upload, over: timedelta) -> None:
    """Its address ended so long ago; it was received just before."""
    end = timezone.now() - over
    Upload.objects.filter(pk=upload.pk).update(created_at=end - timedelta(minutes=15), expires_at=end)


def age_file(path: Path, seconds: float = 0) -> None:
    old = timezone.now().timestamp() - IN_FLIGHT.total_seconds() - 1 - seconds
    os.utime(path, (old, old))


def stored(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_unused_ones_go_at_their_second(row, acme, folder, time_machine_still):
    used, early, late = use(row, acme), bring(row), bring(row)
    for upload, over in ((used, UNUSED * 9), (early, UNUSED), (late, UNUSED + timedelta(seconds=1))):
        age(upload, over)
    assert list(sweep_uploads()) == [("unused", [str(late.uuid)])]
    assert set(Upload.objects.all()) == {used, early}
    assert stored(folder) == {key_of(used.uuid), key_of(early.uuid)}
    assert list(sweep_uploads()) == []


@pytest.fixture
def time_machine_still() -> Any:
    import time_machine

    with time_machine.travel(timezone.now(), tick=False):
        yield


def test_bytes_without_a_row_go_and_strangers_stay(row, acme, folder):
    used = use(row, acme)
    lost, ours = bring(row), folder / "README.txt"
    Upload.objects.filter(pk=lost.pk).delete()
    ours.write_text("not a file of a message")
    for path in (ours, folder / key_of(used.uuid)):
        age_file(path)
    assert list(sweep_uploads()) == []  # a moment old: its row may be about to be written
    age_file(folder / key_of(lost.uuid))
    assert list(sweep_uploads()) == [("orphan", [key_of(lost.uuid)])]
    assert stored(folder) == {key_of(used.uuid), "README.txt"}


def test_rows_without_bytes_go_where_no_message_shows_them(row, acme, folder):
    used, ready = use(row, acme), bring(row)
    for upload in (used, ready):
        store().delete(upload.storage_key)
    assert list(sweep_uploads()) == []
    Upload.objects.update(received_at=timezone.now() - IN_FLIGHT - timedelta(seconds=1))
    assert list(sweep_uploads()) == [("without bytes", [str(ready.uuid)])]
    assert list(Upload.objects.all()) == [used]


def test_a_dry_run_removes_nothing(row, folder):
    upload, orphan = bring(row), bring(row)
    age(upload, UNUSED * 2)
    Upload.objects.filter(pk=orphan.pk).delete()
    age_file(folder / key_of(orphan.uuid))
    before, shown = stored(folder), io.StringIO()
    call_command("sweep_uploads", "--dry-run", stdout=shown)
    assert shown.getvalue().splitlines() == [
        f"unused: {upload.uuid}", f"orphan: {key_of(orphan.uuid)}",
        "1 unused uploads, 0 without bytes, 1 files without an upload would be removed",
    ]  # fmt: skip
    assert (stored(folder), Upload.objects.count()) == (before, 1)
    shown = io.StringIO()
    call_command("sweep_uploads", stdout=shown)
    assert shown.getvalue() == "1 unused uploads, 0 without bytes, 1 files without an upload removed\n"
    assert (stored(folder), Upload.objects.count()) == (set(), 0)


def test_killed_between_rows_and_bytes_it_goes_on(row, folder, monkeypatch):
    upload = bring(row)
    age(upload, UNUSED * 2)

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DiskStore, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            list(sweep_uploads())
    assert Upload.objects.count() == 0  # never the other way round
    assert stored(folder) == {key_of(upload.uuid)}
    age_file(folder / key_of(upload.uuid))
    assert list(sweep_uploads()) == [("orphan", [key_of(upload.uuid)])]
    assert stored(folder) == set()


def test_what_a_message_takes_meanwhile_stays(row, acme, folder, monkeypatch):
    upload = bring(row)
    age(upload, UNUSED * 2)
    remove = sweep._remove

    def slowly(rows: Any, found: Any, **how: Any) -> Any:
        send_message(conversation=row, sender=as_contact(acme.contacts[0]), uploads=[upload], text="x")
        return remove(rows, found, **how)

    monkeypatch.setattr(sweep, "_remove", slowly)
    assert list(sweep_uploads()) == []
    assert Upload.objects.get().state == "used"
    assert stored(folder) == {key_of(upload.uuid)}


def test_many_batches(row, monkeypatch, folder):
    monkeypatch.setattr(sweep, "_BATCH", 2)
    uploads = [bring(row) for _ in range(5)]
    for upload in uploads:
        age(upload, UNUSED * 2)
    assert [len(names) for _, names in sweep_uploads()] == [2, 2, 1]
    assert stored(folder) == set()


def test_verify_integrity_tells_of_a_file_without_bytes(row, acme):
    upload, removed = use(row, acme), use(row, acme)
    Upload.objects.filter(pk=removed.pk).update(removed_at=timezone.now())
    store().delete(removed.storage_key)
    assert [found for _, found in verify()] == [[]]
    store().delete(upload.storage_key)
    [[difference]] = [found for _, found in verify()]
    assert (difference.field, difference.stored, difference.right) == ("files", "1 without bytes", "0 without bytes")
