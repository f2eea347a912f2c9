"""Erasing and exporting a contact in the admin and on the command line: who may, what it shows and leaves."""

import io
import json
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from chatplatform.errors import NotFound
from clients import actions as people
from clients.callers import system_caller
from clients.models import Contact
from conversations import actions
from conversations.models import Conversation
from messaging.actions import add_note, delete_message, send_message
from messaging.erasure import erase_contact
from messaging.exporting import export_contact
from messaging.models import Attachment, Message
from messaging.senders import as_agent, as_contact

from .admin_world import browser_of, furnish, page, staff_of, superuser
from .store import everything
from .test_erasure import upload

pytestmark = pytest.mark.usefixtures("plain_static_files")


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> Any:
    with override_settings(MEDIA_ROOT=tmp_path / "files"):
        yield tmp_path / "files"


def press(browser: Any, row: Any, name: str, **data: str) -> Any:
    return browser.post(page(type(row), "button", row.pk, name), data)


def without_log_ins(rows: dict[str, Any]) -> dict[str, Any]:
    return {name: table for name, table in rows.items() if name != "User"}


@pytest.mark.parametrize("role", ["client_admin", "superuser"])
def test_a_contact_is_erased_once_its_id_was_typed(acme: Any, role: str) -> None:
    contact: Contact = furnish(acme).rows["clients.Contact"]
    browser = browser_of(superuser() if role == "superuser" else staff_of(acme, role))
    shown = browser.get(page(Contact, "change", contact.pk)).content.decode()
    assert page(Contact, "button", contact.pk, "erase") in shown
    before = without_log_ins(everything())
    for typed in ({}, {"contact_id": ""}, {"contact_id": "contact_2"}):
        answer = press(browser, contact, "erase", **typed)
        assert (answer.status_code, contact.contact_id in answer.content.decode()) == (200, True)
        assert ("This is another id" in answer.content.decode()) == bool(typed)
    assert without_log_ins(everything()) == before
    assert LogEntry.objects.count() == 0

    answer = press(browser, contact, "erase", contact_id="contact_1")

    assert answer.status_code == 302
    contact.refresh_from_db()
    assert contact.erased_at is not None
    [entry] = LogEntry.objects.all()
    assert (entry.object_repr, entry.get_change_message()) == ("Erased contact", "Erased")
    shown = browser.get(page(Contact, "change", contact.pk)).content.decode()
    assert "Erased contact" in shown
    assert "Acme customer" not in shown
    for name in ("erase", "export"):
        assert page(Contact, "button", contact.pk, name) not in shown
        assert press(browser, contact, name, contact_id=contact.contact_id).status_code == 302
    assert browser.post(page(Contact, "change", contact.pk), {"name": "Back again"}).status_code == 403
    assert Contact.objects.get(pk=contact.pk).name == "Erased contact"
    assert "Erased contact" in browser.get(page(Contact, "changelist")).content.decode()


@pytest.mark.parametrize("role", ["agent", "supervisor"])
@pytest.mark.parametrize("name", ["erase", "export"])
def test_others_may_not(acme: Any, role: str, name: str) -> None:
    contact = furnish(acme).rows["clients.Contact"]
    browser = browser_of(staff_of(acme, role))
    shown = browser.get(page(Contact, "change", contact.pk)).content.decode()
    assert page(Contact, "button", contact.pk, name) not in shown
    before = without_log_ins(everything())
    assert press(browser, contact, name, contact_id="contact_1").status_code == 403
    assert without_log_ins(everything()) == before


@pytest.mark.parametrize("name", ["erase", "export"])
def test_another_clients_contact_is_not_there(acme: Any, rival: Any, name: str) -> None:
    contact = furnish(rival).rows["clients.Contact"]
    browser = browser_of(staff_of(acme, "client_admin"))
    before = without_log_ins(everything())
    foreign = press(browser, contact, name, contact_id="contact_1")
    absent = browser.post(page(Contact, "button", 999_999, name), {"contact_id": "contact_1"})
    assert (foreign.status_code, foreign.headers["Location"]) == (absent.status_code, absent.headers["Location"])
    assert without_log_ins(everything()) == before


def test_an_edit_that_was_open_brings_nothing_back(acme: Any) -> None:
    contact = furnish(acme).rows["clients.Contact"]
    stale = Contact.objects.get(pk=contact.pk)
    stale.name = "Back again"
    erase_contact(contact=contact)
    before = everything()
    with pytest.raises(NotFound):
        admin.site._registry[Contact].update(None, stale, SimpleNamespace(changed_data=["name"]))
    assert everything() == before


def read(data: bytes) -> tuple[ZipFile, dict[str, Any]]:
    archive = ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive, {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


@pytest.mark.contract("workspace: The API serves a conversation's newest", "behaviour: The newest-10,000 rule")
def test_an_export_has_everything_and_no_more(acme: Any, settings: Any) -> None:
    """older ones stay stored and exportable; exports know all"""
    settings.MESSAGE_WINDOW = 2
    world = furnish(acme)
    contact, row, agent = world.rows["clients.Contact"], world.conversation, acme.agents[0]
    by = system_caller(acme.client)
    for name in (
        "../../etc/passwd",
        "..",
        ".hidden",
        "C:\\x\\y.png",
        "=cmd|' /C calc'!A0.csv",
        "año 1.pdf",
        "a\u202eb",
    ):
        file = upload(row, name, f"bytes of {name}".encode())
        send_message(
            conversation=row, sender=as_contact(contact), type="file", content={"filename": name}, uploads=[file]
        )
    held = send_message(conversation=row, sender=as_contact(contact), text="=1+1 <b>held</b>")
    Message.objects.filter(pk=held.pk).update(visibility="held")
    mine = send_message(conversation=row, sender=as_contact(contact), text="deleted by me")
    theirs = send_message(conversation=row, sender=as_agent(agent), text="deleted by them")
    for message in (mine, theirs):
        delete_message(conversation=row, message_id=message.pk, by=by)
    bo = people.create_contact(client=acme.client, name="Bo Li", contact_id="c_bo", phone="34600999888")
    left = actions.create_conversation(
        client_id=acme.client.pk, by=by, channel="email", title="They left",
        people=[actions.Person(contact_id=contact.pk), actions.Person(contact_id=bo.pk)],
    )  # fmt: skip
    send_message(conversation=left, sender=as_contact(bo), text="while they were there")
    actions.remove_participant(conversation=left, participant_id=left.participants.get(contact=contact).pk, by=by)
    send_message(conversation=left, sender=as_contact(bo), text="after they left")
    add_note(conversation=row, sender=as_agent(agent), text="staff only")
    actions.create_conversation(
        client_id=acme.client.pk, by=by, channel="email", title="Not theirs", people=[actions.Person(contact_id=bo.pk)]
    )
    browser = browser_of(staff_of(acme, "client_admin"))
    before = without_log_ins(everything())

    answer = press(browser, contact, "export")

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="contact.zip"'
    archive, shown = read(b"".join(answer.streaming_content))
    assert without_log_ins(everything()) == before
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Exported"]
    manifest = shown["manifest.json"]
    assert (manifest["format"], manifest["version"], manifest["contact"]) == ("chat-platform-contact", 1, "contact_1")
    assert (manifest["conversations"], manifest["files"], manifest["files_not_readable"]) == (2, 7, [])
    assert shown["contact.json"]["name"] == "Acme customer"
    first, second = (shown[name] for name in sorted(shown) if name.startswith("conversations/"))
    assert [message["text"] for message in first["messages"]] == [
        "Acme asks <b>why</b>", "Acme answers", "Acme sells <b>why</b>", *[""] * 7, "=1+1 <b>held</b>", "deleted by me",
    ]  # fmt: skip
    assert [message["by_contact"] for message in first["messages"][:2]] == [True, False]
    assert first["messages"][-1]["deleted_at"] is not None
    assert [message["text"] for message in second["messages"]] == ["while they were there"]
    assert manifest["messages"] == 13
    assert first["tags"] == ["Acme-tag"]
    assert [state["to"] for state in first["states"]] == ["escalated"]
    assert "conversation.updated" in [event["event"] for event in first["events"]]
    everything_told = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for secret in ("whispers", "staff only", "deleted by them", "after they left", "Not theirs", "34600999888", "c_bo"):
        assert secret not in everything_told
    # Each file within its own folder, with the bytes that it had.
    for message in first["messages"][3:10]:
        [attachment] = message["attachments"]
        path = Path(attachment["file"])
        assert len(path.parts) == 3
        assert path.parts[:2] == ("files", attachment["id"])
        assert not path.name.startswith(".")
        assert not {"/", "\\", "\u202e", "|", "="} & set(path.name)
        assert archive.read(attachment["file"]) == f"bytes of {attachment['file_name']}".encode()
    assert {Path(name).parts[0] for name in archive.namelist()} == {
        "README.txt", "contact.json", "conversations", "files", "manifest.json",
    }  # fmt: skip


def test_a_file_that_is_gone_is_told(acme: Any, files: Path) -> None:
    world = furnish(acme)
    contact, row = world.rows["clients.Contact"], world.conversation
    for n in range(2):
        send_message(
            conversation=row, sender=as_contact(contact), type="file", content={"filename": "a"},
            uploads=[upload(row, "a", f"file {n}".encode())],
        )  # fmt: skip
    lost, removed = Attachment.objects.filter(message__sender_contact=contact).order_by("id")
    (files / lost.upload.storage_key).unlink()
    type(removed.upload).objects.filter(pk=removed.upload.pk).update(removed_at=removed.created_at)
    out = io.BytesIO()
    made = export_contact(contact, out)
    _, shown = read(out.getvalue())
    assert made.files == 0
    assert shown["manifest.json"]["files_not_readable"] == [f"files/{lost.uuid}/a"]


def test_files_in_no_message_yet_are_exported(acme: Any) -> None:
    """Those that the client's program brought to the contact; not staff's, and none where others take part."""
    world = furnish(acme)
    contact, row = world.rows["clients.Contact"], world.conversation
    mine = upload(row, "mine.txt", b"waiting")
    upload(row, "theirs.txt", b"by staff", created_by_user=staff_of(acme, "agent"))
    bo = people.create_contact(client=acme.client, name="Bo Li", contact_id="c_bo")
    shared = actions.create_conversation(
        client_id=acme.client.pk, by=system_caller(acme.client), channel="email", title="Shared",
        people=[actions.Person(contact_id=contact.pk), actions.Person(contact_id=bo.pk)],
    )  # fmt: skip
    upload(shared, "whose.txt", b"of one of them")
    out = io.BytesIO()
    made = export_contact(contact, out)
    archive, shown = read(out.getvalue())
    told = [shown[name]["files_in_no_message"] for name in sorted(shown) if name.startswith("conversations/")]
    path = f"files/{mine.uuid}/mine.txt"
    assert [[(file["id"], file["file"]) for file in files] for files in told] == [[(str(mine.uuid), path)], []]
    assert (made.files, archive.read(path)) == (1, b"waiting")
    assert [name for name in archive.namelist() if name.startswith("files/")] == [path]


def test_a_long_thread_and_a_large_file_leave_memory_flat(acme: Any, tmp_path: Path) -> None:
    world = furnish(acme)
    contact, row = world.rows["clients.Contact"], world.conversation
    size = 24 * 1024 * 1024
    large = upload(row, "large.bin", bytes(size))
    send_message(
        conversation=row, sender=as_contact(contact), type="file", content={"filename": "large.bin"}, uploads=[large]
    )
    start = Message.objects.of(row.pk).latest("seq").seq + 1
    Message.objects.bulk_create(
        [
            Message(client=acme.client, conversation=row, seq=n, text="x" * 1000, sender_agent=acme.agents[0])
            for n in range(start, start + 10_500)
        ],
        batch_size=500,
    )
    with (tmp_path / "out.zip").open("wb") as out, CaptureQueriesContext(connection) as queries:
        tracemalloc.start()
        made = export_contact(contact, out)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (made.messages, made.files) == (10_504, 1)
    assert peak < 8 * 1024 * 1024
    assert len(queries) < 70  # two for 500 messages
    assert ZipFile(tmp_path / "out.zip").getinfo(f"files/{large.attachment.uuid}/large.bin").file_size == size


def test_the_commands(acme: Any, tmp_path: Path, monkeypatch: Any) -> None:
    contact = furnish(acme).rows["clients.Contact"]
    path, shown = tmp_path / "person.zip", io.StringIO()
    call_command("export_contact", "Acme", "contact_1", output=str(path), stdout=shown)
    assert shown.getvalue() == f"{path}: 1 conversations, 3 messages, 0 files\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path.read_bytes())[1]["contact.json"]["id"] == "contact_1"
    before = path.read_bytes()
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_contact", "Acme", "contact_1", output=str(path))
    assert path.read_bytes() == before

    monkeypatch.setattr("builtins.input", lambda question: "no")
    rows = everything()
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_contact", "Acme", "contact_1")
    assert everything() == rows
    call_command("erase_contact", "Acme", "contact_1", yes=True, stdout=shown)
    assert Contact.objects.get(pk=contact.pk).erased_at is not None
    assert Conversation.objects.get().title == "Acme invoice 1"  # an end user owns it, and it names nobody
    for command in ("erase_contact", "export_contact"):
        more = {"output": str(tmp_path / "b.zip")} if command == "export_contact" else {"yes": True}
        with pytest.raises(CommandError, match="no contact with the id") as refused:
            call_command(command, "Acme", "contact_1", **more)
        assert refused.value.returncode == 2
