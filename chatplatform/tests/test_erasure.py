"""`DELETE /v1/contacts/{id}`: nothing of the person is found anywhere, and their conversations keep their shape."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import requests
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from clients import actions as people
from clients.callers import system_caller
from clients.credentials import issue_tokens
from clients.importing.people import parse
from clients.importing.store import write
from clients.models import Contact, IdempotencyKey
from conftest import database_environment
from conversations import actions
from conversations.models import Conversation, Event, Participant, Tag
from messaging.erasure import ERASED, erase_contact
from messaging.integrity import verify
from messaging.models import Attachment, DoomedFile, Message, Upload

from .admin_world import browser_of, page, superuser
from .store import everything, staff

#: Each a place where a client program, or staff, can put something of a person.
CANARIES = {
    place: f"zqcanary{number:02}x"
    for number, place in enumerate(
        (
            "contact id", "first name", "name", "contact metadata", "subject", "renamed by staff",
            "renamed in the admin", "conversation metadata", "key of the metadata", "text", "message metadata",
            "edited metadata", "link", "caption", "file name in a link", "place", "street", "card", "card phone",
            "uploaded name", "uploaded bytes", "whatsapp name", "whatsapp chat id", "tag", "text in what they left",
            "text deleted", "text in what was deleted", "room", "tag taken off",
        ),
        start=10,
    )
} | {"phone": "34987612345", "e-mail": "zqcanary99x@example.com"}  # fmt: skip


class Program:
    """A client program at the server: its own token, and a key with each write."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.secret, self.count = url, secret, 0

    def __call__(self, method: str, path: str, body: Any = None, status: int = 201) -> Any:
        self.count += 1
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": f"k{self.count}"}
        answer = requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == status, (path, answer.text)
        return answer.json() if answer.content else None


@pytest.fixture
def files(db: None) -> Iterator[Path]:
    """Where the server's processes keep them too."""
    folder = Path(database_environment()["DATA_DIR"]) / "files"
    with override_settings(MEDIA_ROOT=folder):
        yield folder


def upload(conversation: Conversation, name: str, data: bytes, **columns: Any) -> Upload:
    now = timezone.now()
    return Upload.objects.create(
        client_id=conversation.client_id, conversation=conversation, file_name=name, content_type="text/plain",
        size=len(data), state="ready", storage_key=default_storage.save("u/1", ContentFile(data)), created_at=now,
        received_at=now, expires_at=now + timedelta(minutes=15), **columns,
    )  # fmt: skip


def of(shown: dict[str, Any]) -> Conversation:
    return Conversation.objects.get(uuid=shown["id"].removeprefix("conv_"))


def live(url: str, acme: Any, program: Program) -> None:
    """Everything that can be said of a person is said, through every door that takes it."""
    c = CANARIES
    program("POST", "/v1/contacts", {
        "id": c["contact id"], "name": c["first name"], "phone": c["phone"], "email": c["e-mail"],
        "metadata": {"passport": c["contact metadata"]},
    })  # fmt: skip
    me = {"contact_id": c["contact id"]}
    pair = {"participants": [me, {"agent_id": "agent_1"}], "channel": "website"}
    shown = program("POST", "/v1/conversations", {
        **pair, "subject": c["subject"], "metadata": {"note": c["conversation metadata"]}, "tags": ["vip"],
    })  # fmt: skip
    path = f"/v1/conversations/{shown['id']}"
    row = of(shown)
    file = upload(row, f"{c['uploaded name']}.txt", c["uploaded bytes"].encode())
    upload(row, f"{c['uploaded name']}-2.txt", c["uploaded bytes"].encode())  # in no message
    said = [
        program("POST", f"{path}/messages", {"type": type_, type_: content, "sender": me, **more})
        for type_, content, more in [
            ("text", {"body": c["text"]}, {"metadata": {"m": c["message metadata"]}}),
            ("text", {"body": c["text deleted"]}, {}),
            ("image", {"url": f"https://example.com/{c['link']}.png", "caption": c["caption"]}, {}),
            ("video", {"url": "https://example.com/v", "filename": f"{c['file name in a link']}.mp4"}, {}),
            ("location", {"latitude": 1.5, "longitude": 2.5, "name": c["place"], "address": c["street"]}, {}),
            ("contact", {"formatted_name": c["card"], "phones": [{"phone": c["card phone"], "type": "x"}]}, {}),
            ("file", {"file_id": f"file_{file.uuid.hex}"}, {}),
        ]
    ]
    program("PATCH", f"{path}/messages/{said[0]['id']}", {"metadata": {"m": c["edited metadata"]}}, 200)
    program("DELETE", f"{path}/messages/{said[1]['id']}", None, 204)
    program("POST", f"{path}/messages", {
        "type": "text", "text": {"body": "We have sent it."}, "sender": {"agent_id": "agent_1"},
    })  # fmt: skip
    program("PATCH", path, {"metadata": {c["key of the metadata"]: 1}, "status": "waiting_for_customer"}, 200)
    program("PATCH", f"/v1/contacts/{c['contact id']}", {"name": c["name"]}, 200)
    program("PATCH", path, {"tags": ["vip", f"{c['name']} {c['tag']}"]}, 200)
    program("PATCH", path, {"tags": ["vip", f"{c['first name']} {c['tag taken off']}"]}, 200)
    program("PATCH", path, {"tags": ["vip", f"{c['name']} {c['tag']}"]}, 200)
    program("POST", f"{path}/messages", {"type": "text", "text": {"body": c["text"]}, "sender": me})
    by_staff = Program(url, issue_tokens(acme.staff.user).access)
    by_staff("PUT", f"/chat/conversations/{row.pk}", {"title": c["renamed by staff"]}, 200)
    chat = {"session_name": acme.client.session_id, "number_client": int(c["phone"])}
    more = {"name": c["whatsapp name"], "chat_id": c["whatsapp chat id"], "category": "sales"}
    Program(url, "")("POST", "/api/chat/create", {**chat, **more}, 200)
    # Where they were removed, and where all is deleted.
    left = program("POST", "/v1/conversations", {**pair, "subject": c["subject"]})
    body = {"type": "text", "text": {"body": c["text in what they left"]}, "sender": me}
    program("POST", f"/v1/conversations/{left['id']}/messages", body)
    program("DELETE", f"/v1/conversations/{left['id']}/participants/{left['participants'][0]['id']}", None, 204)
    deleted = program("POST", "/v1/conversations", {**pair, "subject": c["subject"]})
    body = {"type": "text", "text": {"body": c["text in what was deleted"]}, "sender": me}
    program("POST", f"/v1/conversations/{deleted['id']}/messages", body)
    program("DELETE", f"/v1/conversations/{deleted['id']}", None, 204)
    Conversation.objects.filter(pk=of(left).pk).update(room=c["room"])
    # Staff in the admin: the history keeps what a row was called.
    browser = browser_of(superuser())
    form = browser.get(page(Conversation, "change", row.pk)).context["adminform"].form
    fields = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    browser.post(page(Conversation, "change", row.pk), {**fields, "title": c["renamed in the admin"]})
    doomed = Message.objects.get(text=c["text in what they left"])
    browser.post(page(Message, "delete", doomed.pk), {"post": "yes"})
    contact = Contact.objects.get(contact_id=c["contact id"])
    form = browser.get(page(Contact, "change", contact.pk)).context["adminform"].form
    fields = {field.html_name: field.value() for field in form if field.value() is not None}
    browser.post(page(Contact, "change", contact.pk), {**fields, "phone": f"+{c['phone']}", "name": c["name"]})


def dump() -> bytes:
    """Everything that the database holds, as bytes."""
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        files = [path for path in (str(name), f"{name}-wal") if Path(path).exists()]
        # By another process: closing a file gives up this one's locks on it, and with them SQLite's.
        return subprocess.run(["cat", *files], capture_output=True, check=True).stdout
    parts: list[bytes] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                parts += [value if isinstance(value, bytes) else _text(value).encode() for value in row]
    if which("pg_dump"):
        url = database_environment()["DATABASE_URL"]
        parts.append(subprocess.run(["pg_dump", url], capture_output=True, check=True).stdout)
    return b"\n".join(parts)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def found(where: bytes) -> set[str]:
    return {place for place, canary in CANARIES.items() if canary.lower().encode() in where.lower()}


def shape() -> list[Any]:
    """Everything of the conversations but what anybody wrote."""
    figures = (
        "id", "uuid", "status", "last_seq", "message_count", "participant_count", "last_message_at",
        "last_message_seq", "activity_at", "owner_unread", "staff_unread", "waiting_since", "session_started_at",
        "created_at", "deleted_at", "status_changed_at", "assigned_agent_id",
    )  # fmt: skip
    places = ("id", "uuid", "seq", "type", "status", "visibility", "created_at", "deleted_at", "sender_contact_id")
    return [
        list(Conversation.objects.order_by("id").values_list(*figures)),
        list(Message.objects.order_by("id").values_list(*places)),
        list(Participant.objects.order_by("id").values()),
        list(Event.objects.order_by("id").values_list("id", "kind", "created_at")),
    ]


def of_others(contact: Contact) -> dict[str, Any]:
    """Every row that belongs to somebody else."""
    theirs = set(Participant.objects.filter(contact=contact).values_list("conversation_id", flat=True))
    rows = everything()
    for skipped in ("IdempotencyKey", "DoomedFile"):
        rows.pop(skipped)
    return {
        name: [
            row for row in table
            if row.get("conversation_id", row["id"] if name == "Conversation" else 0) not in theirs
            and not (name == "Contact" and row["id"] == contact.pk)
            and not (name == "Attachment" and _conversation_of(row) in theirs)
            and not (name == "Tag" and "zqcanary" in row["name"])
        ]
        for name, table in rows.items()
    }  # fmt: skip


def _conversation_of(attachment: dict[str, Any]) -> int:
    pk: int = Message.objects.values_list("conversation_id", flat=True).get(pk=attachment["message_id"])
    return pk


@pytest.mark.contract("workspace: /v1/contacts: POST", "workspace: Making a webhook, rule, contact or agent answers")
@pytest.mark.usefixtures("plain_static_files")
def test_nothing_of_them_is_found_anywhere(files: Path, live_server_url: str, acme: Any, capfd: Any) -> None:
    """DELETE (erases the person's data, keeps the conversation's shape)"""
    staff(acme)
    program = Program(live_server_url, acme.api_token.secret)
    live(live_server_url, acme, program)
    bruno = {"participants": [{"contact_id": "contact_1"}, {"agent_id": "agent_1"}], "channel": "website"}
    beside = program("POST", "/v1/conversations", {**bruno, "subject": "Two lamps", "tags": ["vip"]})
    said = {"type": "text", "text": {"body": "Where are they?"}, "sender": {"contact_id": "contact_1"}}
    program("POST", f"/v1/conversations/{beside['id']}/messages", said)
    kept = upload(of(beside), "lamps.txt", b"a lamp")
    contact = Contact.objects.get(contact_id=CANARIES["contact id"])
    before = dump() + b"".join(path.read_bytes() for path in files.rglob("*") if path.is_file())
    assert found(before) == set(CANARIES)  # else the test looks in the wrong places
    stored = [files / key for key in Upload.objects.exclude(storage_key="").values_list("storage_key", flat=True)]
    assert len(stored) > 1
    assert all(path.exists() for path in stored)
    shaped, others = shape(), of_others(contact)
    answers = IdempotencyKey.objects.count()
    told = b"".join(stream.encode() for stream in capfd.readouterr())

    program("DELETE", f"/v1/contacts/{CANARIES['contact id']}", None, 204)

    assert found(dump()) == set()
    assert [path.read_bytes() for path in stored if path.exists()] == [b"a lamp"]
    assert found(b"".join(path.read_bytes() for path in files.rglob("*") if path.is_file())) == set()
    told += b"".join(stream.encode() for stream in capfd.readouterr())
    assert found(told) == set()
    assert shape() == shaped
    assert of_others(contact) == others
    assert [difference for _, differences in verify() for difference in differences] == []
    assert not DoomedFile.objects.exists()
    assert Upload.objects.get() == kept
    # The answers to calls that had nothing to do with them are kept, and so is the one of the erasure itself.
    assert 3 <= IdempotencyKey.objects.count() < answers
    again = program("DELETE", f"/v1/contacts/{CANARIES['contact id']}", None, 404)
    unknown = program("DELETE", "/v1/contacts/nobody", None, 404)
    assert again == unknown == {"error": {"code": "1004", "message": "Not Found"}}


@pytest.fixture
def chat(acme: Any, robot: Any) -> Any:
    """A conversation of Ana, a contact, with an agent: its path and its row."""
    assert robot.post("/v1/contacts", {"id": "c_ana", "name": "Ana Ruiz", "phone": "34600111222"}).status_code == 201
    people_ = [{"contact_id": "c_ana"}, {"agent_id": "agent_1"}]
    shown = robot.post("/v1/conversations", {"participants": people_, "channel": "email", "subject": "A cup"}).json()
    path = f"/v1/conversations/{shown['id']}"
    for type_, content in (
        ("text", {"body": "Hello"}),
        ("image", {"url": "https://example.com/a.png", "caption": "Mine"}),
        ("location", {"latitude": 4.0, "longitude": 5.0}),
        ("contact", {"formatted_name": "Ana"}),
    ):
        body = {"type": type_, type_: content, "sender": {"contact_id": "c_ana"}}
        assert robot.post(f"{path}/messages", body).status_code == 201
    return path, of(shown)


def test_what_is_left_has_the_form_of_the_contracts(acme: Any, robot: Any, chat: Any) -> None:
    path, row = chat
    before = robot.get(f"{path}/messages?order=asc").json()
    assert robot.delete("/v1/contacts/c_ana").status_code == 204

    contact = Contact.objects.get(erased_at__isnull=False)
    sender = {"contact_id": contact.contact_id, "name": "Erased contact"}
    shown = robot.get(f"{path}/messages?order=asc").json()
    assert [message[message["type"]] for message in shown["messages"]] == [
        {"body": "[erased]"},
        {},
        {"latitude": 0.0, "longitude": 0.0, "name": "[erased]"},
        {"formatted_name": "[erased]"},
    ]
    assert [message["sender"] for message in shown["messages"]] == [sender] * 4
    for name in ("id", "type", "timestamp", "status"):
        assert [m[name] for m in shown["messages"]] == [m[name] for m in before["messages"]]
    assert shown["pagination"] == before["pagination"]
    conversation = robot.get(path).json()
    assert (conversation["subject"], conversation["metadata"], conversation["message_count"]) == (None, {}, 4)
    assert conversation["participants"][0]["contact_id"] == contact.contact_id == f"erased_{contact.contact_id[7:]}"
    row.refresh_from_db()
    assert (row.title, row.title_folded, row.last_message_text) == ("", "email", "[contact] [erased]")
    assert not Attachment.objects.exists()
    assert set(Message.objects.values_list("attachment_count", flat=True)) == {0}


def test_an_erased_contact_is_unknown(acme: Any, robot: Any, chat: Any) -> None:
    path, _ = chat
    assert robot.delete("/v1/contacts/c_ana").status_code == 204
    contact = Contact.objects.get(erased_at__isnull=False)
    before = everything()
    unknown = robot.get("/v1/contacts/nobody")
    for own_id in ("c_ana", contact.contact_id):
        for method in ("GET", "DELETE"):
            answer = robot(method, f"/v1/contacts/{own_id}")
            assert (answer.status_code, answer.content) == (404, unknown.content)
        assert robot.patch(f"/v1/contacts/{own_id}", {"name": "Ana"}).content == unknown.content
        body = {"type": "text", "text": {"body": "It is me"}, "sender": {"contact_id": own_id}}
        assert robot.post(f"{path}/messages", body).status_code == 422
    assert [row["id"] for row in robot.get("/v1/contacts").json()["contacts"]] == ["contact_1"]
    assert robot.get("/v1/contacts?search=erased").json()["pagination"]["total"] == 0
    assert everything() == before
    # Their id, and their number at a bot runner, are somebody new's from then on.
    assert robot.post("/v1/contacts", {"id": "c_ana", "name": "Ana Ruiz"}).status_code == 201


def test_a_number_that_writes_again_is_a_new_contact(acme: Any, api: Any) -> None:
    body = {"session_name": "ses_acme", "number_client": 34600111222, "chat_id": "34600111222@c.us", "name": "Ana"}
    first = api().post("/api/chat/create", body).json()["record"]
    old = Contact.objects.get(phone="34600111222")
    erase_contact(contact=old)
    again = api().post("/api/chat/create", body).json()["record"]
    assert again["id"] != first["id"]
    assert Contact.objects.get(phone="34600111222").pk != old.pk


def test_where_others_take_part_what_names_nobody_stays(acme: Any, robot: Any) -> None:
    robot.post("/v1/contacts", {"id": "c_ana", "name": "Ana Ruiz", "phone": "34600111222"})
    people_ = [{"contact_id": "c_ana"}, {"contact_id": "contact_1"}, {"agent_id": "agent_1"}]
    body = {"participants": people_, "channel": "email", "metadata": {"order": "BD-1"}, "tags": ["ana ruiz", "cups"]}
    named = robot.post("/v1/conversations", {**body, "subject": "Cups for ANA RUÍZ"}).json()["id"]
    plain = robot.post("/v1/conversations", {**body, "subject": "Cups for banana ruizes"}).json()["id"]
    robot.patch(f"/v1/conversations/{plain}", {"metadata": {"call": "+34600111222"}})
    for conversation in (named, plain):
        for who in ("c_ana", "contact_1"):
            said = {"type": "text", "text": {"body": f"I am {who}"}, "sender": {"contact_id": who}}
            assert robot.post(f"/v1/conversations/{conversation}/messages", said).status_code == 201

    assert robot.delete("/v1/contacts/c_ana").status_code == 204

    shown = [robot.get(f"/v1/conversations/{conversation}").json() for conversation in (named, plain)]
    assert [one["subject"] for one in shown] == [None, "Cups for banana ruizes"]
    assert [one["metadata"] for one in shown] == [{"order": "BD-1"}, {}]
    assert [one["tags"] for one in shown] == [["cups"], ["cups"]]
    texts = set(Message.objects.values_list("text", "sender_name"))
    assert texts == {("[erased]", ERASED), ("I am contact_1", "First contact")}
    changes = [event.data["changes"] for event in Event.objects.filter(kind="conversation.updated")]
    assert changes == [{"metadata": [None, None]}]


def by_patch(acme: Any, robot: Any, name: str, phone: str, email: str) -> None:
    given = {"name": name, "phone": phone, "email": email}
    assert robot.patch("/v1/contacts/c_ana", given).status_code == 200


def by_form(acme: Any, robot: Any, name: str, phone: str, email: str) -> None:
    path = page(Contact, "change", Contact.objects.get(contact_id="c_ana").pk)
    browser = browser_of(staff(acme, "client_admin"))
    given = {"name": name, "phone": f"+{phone}", "email": email, "metadata": "{}"}
    assert browser.post(path, given).status_code == 302


def by_import(acme: Any, robot: Any, name: str, phone: str, email: str) -> None:
    given = {"kind": "contact", "id": "c_ana", "name": name, "phone": f"+{phone}", "email": email}
    assert write(acme.client, [parse(1, given, None)], {}).refused == []


@pytest.mark.parametrize("change", [by_patch, by_form, by_import])
def test_what_they_were_called_before_goes_too(acme: Any, robot: Any, change: Any) -> None:
    robot.post("/v1/contacts", {"id": "c_ana", "name": "Ana Ruiz", "phone": "34600111222", "email": "a@example.com"})
    people_ = [{"contact_id": "c_ana"}, {"contact_id": "contact_1"}, {"agent_id": "agent_1"}]
    paths = []
    for subject in ("Cups for ANA RUÍZ", "Call +34600111222", "Mail to A@example.com", "Cups for Bruno"):
        body = {"participants": people_, "channel": "email", "subject": subject, "metadata": {"for": subject}}
        paths.append(f"/v1/conversations/{robot.post('/v1/conversations', body).json()['id']}")
    robot.patch(paths[3], {"tags": ["ana ruiz", "34600111222", "cups", "vip"]})
    robot.patch(paths[3], {"tags": ["cups"]})  # the others stay in the client's list
    change(acme, robot, "Ana Gil", "34600333444", "b@example.com")
    change(acme, robot, "Ana Sol", "34600555666", "c@example.com")
    row = Contact.objects.get(contact_id="c_ana")
    assert set(row.former) == {
        "Ana Ruiz", "34600111222", "a@example.com", "Ana Gil", "34600333444", "b@example.com",
    }  # fmt: skip

    assert robot.delete("/v1/contacts/c_ana").status_code == 204

    row.refresh_from_db()
    assert row.former == []
    shown = [robot.get(path).json() for path in paths]
    assert [one["subject"] for one in shown] == [None, None, None, "Cups for Bruno"]
    assert [one["metadata"] for one in shown] == [{}, {}, {}, {"for": "Cups for Bruno"}]
    assert set(Tag.objects.values_list("name", flat=True)) == {"cups", "vip"}


def test_a_former_name_is_kept_once_and_the_last_hundred(acme: Any) -> None:
    row = people.create_contact(client=acme.client, name="Name 0")
    for n in range(1, 103):
        row = people.update_contact(contact=row, name=f"Name {n}")
    assert row.former == [f"Name {n}" for n in range(2, 102)]
    row = people.update_contact(contact=row, name="Name 50")
    assert row.former == [*(f"Name {n}" for n in range(3, 102)), "Name 102"]
    row = people.update_contact(contact=row, metadata={"a": 1}, name="Name 50")
    assert len(row.former) == 100


def test_it_is_the_same_where_an_answer_comes_late(acme: Any, robot: Any, chat: Any) -> None:
    """A message whose sender was looked up before the erasure and is stored after it."""
    from chatplatform.errors import InvalidParticipant
    from messaging.actions import send_message
    from messaging.senders import as_contact

    _, row = chat
    sender = as_contact(Contact.objects.get(contact_id="c_ana"))
    erase_contact(contact=Contact.objects.get(contact_id="c_ana"))
    with pytest.raises(InvalidParticipant):
        send_message(conversation=row, sender=sender, text="I am Ana", only_participants=True)


def test_another_workspaces_contact_is_unknown(acme: Any, foreign_robot: Any, chat: Any) -> None:
    before = everything()
    foreign = foreign_robot.delete("/v1/contacts/c_ana")
    assert (foreign.status_code, foreign.content) == (404, foreign_robot.delete("/v1/contacts/nobody").content)
    assert everything() == before


def test_all_or_nothing(acme: Any, robot: Any, chat: Any, monkeypatch: Any) -> None:
    from messaging.erasure import traces

    def crash(*given: Any) -> None:
        raise RuntimeError

    before = everything()
    monkeypatch.setattr(traces, "rename_in_admin_log", crash)
    assert robot.delete("/v1/contacts/c_ana").status_code == 500
    assert everything() == before


def test_it_costs_the_same_for_many_messages(acme: Any, robot: Any, chat: Any) -> None:
    from .store import statements

    _, row = chat
    contact = Contact.objects.get(contact_id="c_ana")
    other = people.create_contact(client=acme.client, name="Bo Li", contact_id="c_bo")
    actions.add_participant(conversation=row, person=actions.Person(contact_id=other.pk), by=system_caller(acme.client))
    few = len(statements(lambda: erase_contact(contact=other)))
    rows = [
        Message(client=acme.client, conversation=row, seq=n, text="x", sender_contact=contact, is_customer=True)
        for n in range(5, 505)
    ]
    Message.objects.bulk_create(rows)
    many = len(statements(lambda: erase_contact(contact=contact)))
    assert many <= few + 10
    assert LogEntry.objects.count() == 0
    assert set(Message.objects.values_list("text", flat=True)) == {"[erased]", ""}
