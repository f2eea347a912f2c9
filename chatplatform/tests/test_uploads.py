"""contracts/workspace.md and behaviour.md, Uploads: from outside, on the local disk."""

import errno
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings

from chatplatform.errors import Forbidden
from chatplatform.tests.samples import GOOD, PDF, PNG
from chatplatform.tests.store import everything, new_conversation, say, statements, take_part
from chatplatform.tests.uploading import announce, bring, content, fetch, local, put
from chatplatform.tests.workspace import CUSTOMER, assert_refused, begin, ok, path_of, row_of, wrong_fields
from conversations.models import Conversation
from messaging.actions import receive_upload
from messaging.files import download_address
from messaging.files.disk import DiskStore
from messaging.models import Attachment, Message, Upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Any:
    """The store of one test."""
    with override_settings(MEDIA_ROOT=tmp_path / "files"):
        yield tmp_path / "files"


def stored(folder: Path) -> list[bytes]:
    """The bytes of every file in the store."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def post(robot: Any, made: Any, type_: str, said: Any) -> Any:
    return robot.post(path_of(made, "messages"), {"type": type_, type_: said, "sender": CUSTOMER})


def with_mary(john: Any, acme: Any) -> str:
    """A new conversation of `platform`; answers its uuid."""
    body = {"participant_uuid": str(acme.users[1].user.uuid)}
    uuid: str = john.post("/api/v1/chat/conversations", body).json()["data"]["uuid"]
    return uuid


# --- announcing ---


@pytest.mark.contract(
    "workspace: {filename, content_type, size}", "workspace: Default: local disk", "behaviour: URLs live 15 minutes",
    "workspace: Ids are strings with a prefix",
)  # fmt: skip
def test_a_file_is_announced(robot, clock):
    """201 {upload_url, file_id, expires_at}; the address is our own, for 15 minutes"""
    made = begin(robot)
    given = {"filename": "parcel.png", "content_type": "image/png", "size": len(PNG)}
    answer = ok(robot.post(path_of(made, "uploads"), given), 201)
    assert list(answer) == ["upload_url", "file_id", "expires_at"]
    upload = Upload.objects.get()
    assert answer["file_id"] == f"file_{upload.uuid.hex}"
    assert answer["expires_at"] == "2027-03-01T12:15:00Z"
    url = urlsplit(answer["upload_url"])
    assert (url.scheme, url.netloc, url.path) == ("http", "testserver", f"/files/{upload.uuid.hex}")
    query = parse_qs(url.query)
    expires = int(datetime(2027, 3, 1, 12, 15, tzinfo=UTC).timestamp())
    assert (query["expires"], query["size"], query["type"]) == ([str(expires)], [str(len(PNG))], ["image/png"])
    assert (upload.state, upload.client_id) == ("pending", row_of(made).client_id)
    assert upload.created_by_token_id is not None


@pytest.mark.contract("behaviour: users upload through")
@pytest.mark.usefixtures("clock")
def test_users_announce_through_their_own_dialects(acme, maya, john):
    """same body, their envelope"""
    given = {"filename": "Lámpara rota.pdf", "content_type": "application/pdf", "size": len(PDF)}
    number = new_conversation(maya)
    answer = maya.post(f"/chat/conversations/{number}/uploads", given)
    assert answer.status_code == 201
    body = answer.json()
    upload = Upload.objects.get()
    assert {name: body[name] for name in ("success", "message")} == {
        "success": True, "message": "Upload created successfully",
    }  # fmt: skip
    assert body["data"] == {
        "upload_url": body["data"]["upload_url"], "file_id": str(upload.uuid), "expires_at": "2027-03-01T12:15:00Z",
    }  # fmt: skip
    uuid = with_mary(john, acme)
    path = f"/api/v1/chat/conversations/{uuid}/uploads"
    answer = john.post(path, {**given, "size": str(len(PDF))})  # numeric strings are integers there
    assert answer.status_code == 201
    body = answer.json()
    upload = Upload.objects.get(conversation__uuid=uuid)
    assert body == {
        "message": "Upload created successfully",
        "data": {
            "upload_url": body["data"]["upload_url"], "file_id": str(upload.uuid),
            "expires_at": body["data"]["expires_at"],
        },
    }  # fmt: skip
    assert body["data"]["expires_at"].startswith("2027-03-01T12:15:00.")
    assert upload.created_by_user_id == acme.users[0].user.pk


@pytest.mark.contract("workspace: Over 104,857,600 bytes", "workspace: 1008 | 413", "behaviour: Accepted by content")
def test_what_cannot_be_announced(robot, maya, john, acme):
    made = begin(robot)
    good = {"filename": "a.png", "content_type": "image/png", "size": 5}
    ok(robot.post(path_of(made, "uploads"), {**good, "size": 104_857_600}), 201)
    number = new_conversation(maya)
    uuid = john.post("/api/v1/chat/conversations", {"participant_uuid": str(acme.users[1].user.uuid)}).json()["data"][
        "uuid"
    ]
    others = [
        (maya, f"/chat/conversations/{number}/uploads", 400),
        (john, f"/api/v1/chat/conversations/{uuid}/uploads", 422),
    ]
    before = everything()
    assert_refused(robot.post(path_of(made, "uploads"), {**good, "size": 104_857_601}), "1008")
    for caller, path, _ in others:
        assert caller.post(path, {**good, "size": 104_857_601}).status_code == 413
    for wrong, field in [
        ({"size": 0}, "size"), ({"size": -1}, "size"), ({"size": True}, "size"), ({"size": 1.5}, "size"),
        ({"size": None}, "size"), ({"filename": ""}, "filename"), ({"filename": "x" * 256}, "filename"),
        ({"filename": "../x.png"}, "filename"), ({"filename": "a\\x.png"}, "filename"), ({"filename": 7}, "filename"),
        ({"filename": "a\r\nSet-Cookie: x"}, "filename"), ({"filename": "gpj.\u202eexe"}, "filename"),
        ({"content_type": "text/html"}, "content_type"), ({"content_type": "image/svg+xml"}, "content_type"),
        ({"content_type": "application/x-msdownload"}, "content_type"), ({"content_type": "image/*"}, "content_type"),
        ({"content_type": "text/plain; charset=utf-16"}, "content_type"), ({"content_type": ""}, "content_type"),
        ({"content_type": "application/javascript"}, "content_type"),
        ({"content_type": "application/xhtml+xml"}, "content_type"),
    ]:  # fmt: skip
        assert wrong_fields(robot.post(path_of(made, "uploads"), {**good, **wrong})) == [field], wrong
        for caller, path, status in others:
            answer = caller.post(path, {**good, **wrong})
            assert (answer.status_code, list(answer.json()["errors"])) == (status, [field]), (wrong, answer.content)
    assert everything() == before


@pytest.mark.contract("workspace: {filename, content_type, size}", "behaviour: On a closed conversation")
def test_whoever_may_not_write_announces_nothing(robot, maya, omar, john, mary, acme):
    made, given = begin(robot), {"filename": "a.png", "content_type": "image/png", "size": 5}
    number = new_conversation(maya)
    take_part(number, acme.users[1].user, can_write=False)
    uuid = john.post("/api/v1/chat/conversations", {"participant_uuid": str(acme.users[1].user.uuid)}).json()["data"][
        "uuid"
    ]
    ok(robot.patch(path_of(made), {"status": "closed"}))
    Conversation.objects.filter(uuid=uuid).update(status="closed")
    before = everything()
    assert_refused(robot.post(path_of(made, "uploads"), given), "2003")
    answer = omar.post(f"/chat/conversations/{number}/uploads", given)
    assert (answer.status_code, answer.json()["message"]) == (403, "You may not write here")
    answer = john.post(f"/api/v1/chat/conversations/{uuid}/uploads", given)
    assert (answer.status_code, answer.json()["message"]) == (422, "The conversation is closed.")
    Conversation.objects.filter(pk=number).update(status="closed")
    answer = maya.post(f"/chat/conversations/{number}/uploads", given)
    assert (answer.status_code, answer.json()["message"]) == (409, "Conversation is closed")
    Conversation.objects.filter(pk=number).update(status="active")
    assert everything() == before


# --- putting ---


@pytest.mark.contract("behaviour: Accepted by content", "workspace: PUT upload_url with the bytes")
@pytest.mark.parametrize("content_type", GOOD)
def test_every_accepted_type_goes_in_and_comes_out(robot, folder, content_type):
    name, data = GOOD[content_type]
    made = begin(robot)
    announced = announce(robot, made, data, filename=name, content_type=content_type)
    answer = put(announced["upload_url"], data, content_type)
    assert (answer.status_code, answer.content) == (204, b"")
    upload = Upload.objects.get()
    assert (upload.state, upload.sha256, upload.size) == ("ready", hashlib.sha256(data).hexdigest(), len(data))
    assert stored(folder) == [data]
    message = ok(post(robot, made, "file", {"file_id": announced["file_id"]}), 201)
    got = fetch(message["file"]["url"])
    assert (got.status_code, got["Content-Type"], content(got)) == (200, content_type, data)
    assert got["Content-Disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"


@pytest.mark.contract("workspace: PUT upload_url with the bytes", "workspace: Over 104,857,600 bytes")
def test_only_that_size_only_that_type_once(robot, folder):
    made = begin(robot)
    url = announce(robot, made)["upload_url"]
    before = everything()
    assert_refused(put(url, PNG + b"x"), "1008")
    assert wrong_fields(put(url, PNG[:-1])) == ["size"]
    assert wrong_fields(put(url, b"")) == ["size"]
    assert wrong_fields(put(url, PNG, "image/jpeg")) == ["content_type"]
    assert wrong_fields(put(url, PNG, "text/html")) == ["content_type"]
    assert everything() == before
    assert stored(folder) == []
    assert put(url, PNG, "image/png; x=1").status_code == 204
    before = everything()
    for again in (PNG, PNG[::-1], b"", PNG + b"x"):
        assert_refused(put(url, again), "1002")
    assert everything() == before
    assert stored(folder) == [PNG]


@pytest.mark.contract("behaviour: URLs live 15 minutes", "workspace: A bad, spent or expired signature")
def test_an_address_lives_for_fifteen_minutes(robot, clock, folder):
    made = begin(robot)
    url, late = announce(robot, made)["upload_url"], announce(robot, made)["upload_url"]
    clock.shift(timedelta(seconds=898))
    assert put(url, PNG).status_code == 204
    clock.shift(timedelta(seconds=2))
    before = everything()
    assert_refused(put(late, PNG), "1002")
    assert everything() == before
    message = ok(post(robot, made, "image", {"file_id": f"file_{Upload.objects.earliest('id').uuid.hex}"}), 201)
    clock.shift(timedelta(seconds=898))
    assert content(fetch(message["image"]["url"])) == PNG
    clock.shift(timedelta(seconds=2))
    assert_refused(fetch(message["image"]["url"]), "1002")
    again = ok(robot.get(path_of(made, "messages", message["id"])))["image"]["url"]
    assert content(fetch(again)) == PNG
    assert stored(folder) == [PNG]


def test_an_upload_that_is_not_over_when_its_time_is_comes_too_late(robot, clock, folder):
    announce(robot, begin(robot))

    def slowly() -> Iterator[bytes]:
        yield PNG[:10]
        clock.shift(timedelta(minutes=16))
        yield PNG[10:]

    with pytest.raises(Forbidden):
        receive_upload(Upload.objects.get(), slowly())
    assert Upload.objects.get().state == "pending"
    assert stored(folder) == []


def test_a_full_disk(robot, folder, monkeypatch):
    """507 in the words of workspace, and nothing is left"""

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    url = announce(robot, begin(robot))["upload_url"]
    before = everything()
    monkeypatch.setattr(DiskStore, "keep", full)
    answer = put(url, PNG)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "1011")
    assert answer["Retry-After"].isdigit()
    assert everything() == before
    assert stored(folder) == []


# --- into messages ---


@pytest.mark.contract(
    "workspace: An unknown or unfinished file_id", "workspace: Then file_id goes into a message",
    "workspace: Types: text {body}; image", "workspace: 1004 | 404",
)  # fmt: skip
def test_a_file_goes_into_one_message_of_its_own_conversation(robot, foreign_robot, rival, maya, folder):
    """an unknown or unfinished `file_id`: 1003"""
    made, other, theirs = begin(robot), begin(robot), begin(foreign_robot)
    file_id, unfinished = bring(robot, made), announce(robot, made)["file_id"]
    before = everything()
    for caller, where, name in [
        (robot, made, unfinished), (robot, other, file_id), (foreign_robot, theirs, file_id),
        (robot, made, "file_" + "0" * 32), (robot, made, file_id.upper()), (robot, made, file_id.removeprefix("file_")),
    ]:  # fmt: skip
        assert wrong_fields(post(caller, where, "image", {"file_id": name})) == ["image.file_id"]
    assert everything() == before
    sent = ok(post(robot, made, "image", {"file_id": file_id, "caption": "The lamp"}), 201)
    assert list(sent["image"]) == ["file_id", "url", "filename", "caption"]
    assert (sent["image"]["file_id"], sent["image"]["filename"]) == (file_id, "parcel.png")
    before = everything()
    assert wrong_fields(post(robot, made, "image", {"file_id": file_id})) == ["image.file_id"]
    assert everything() == before
    shown = [
        ok(robot.get(path_of(made, "messages", sent["id"]))),
        ok(robot.get(path_of(made, "messages")))["messages"][0],
    ]
    for message in shown:
        assert {**message["image"], "url": ""} == {**sent["image"], "url": ""}
        assert content(fetch(message["image"]["url"])) == PNG


@pytest.mark.contract("behaviour: image, video, audio, file", "behaviour: An attachment is {")
def test_a_file_is_shown_in_every_dialect(robot, maya, desk, john, mary, acme, folder):
    number = new_conversation(maya)
    row = Conversation.objects.get(pk=number)
    given = {"filename": "Lámpara.pdf", "content_type": "application/pdf", "size": len(PDF)}
    data = maya.post(f"/chat/conversations/{number}/uploads", given).json()["data"]
    assert put(data["upload_url"], PDF, "application/pdf").status_code == 204
    say(maya, number, "The bill", attachments=[data["file_id"]])
    [message] = desk.get(f"/chat/conversations/{number}/messages").json()["data"]["messages"]
    assert (message["content"], message["message_type"]) == ("The bill", "text")
    [file] = message["attachments"]
    expected = {"uuid": str(Attachment.objects.get().uuid), "file_name": "Lámpara.pdf", "file_type": "application/pdf"}
    assert file == {**expected, "file_size": len(PDF), "url": file["url"]}
    got = fetch(file["url"])
    assert content(got) == PDF
    assert got["Content-Disposition"] == "attachment; filename=\"L_mpara.pdf\"; filename*=UTF-8''L%C3%A1mpara.pdf"
    take_part(number, acme.users[1].user)
    [shown] = mary.get(f"/api/v1/chat/conversations/{row.uuid}/messages").json()["data"]
    assert {**shown["attachments"][0], "url": ""} == {**file, "url": ""}
    assert content(fetch(shown["attachments"][0]["url"])) == PDF


@pytest.mark.parametrize("dialect", ["assistant", "platform"])
def test_a_file_sent_with_a_text_is_shown_in_workspace(robot, maya, john, acme, dialect):
    if dialect == "assistant":
        caller, text, path = maya, "content", f"/chat/conversations/{new_conversation(maya)}"
    else:
        caller, text, path = john, "text", f"/api/v1/chat/conversations/{with_mary(john, acme)}"
    given = {"filename": "Lámpara.pdf", "content_type": "application/pdf", "size": len(PDF)}
    ids = []
    for _ in range(2):
        data = caller.post(f"{path}/uploads", given).json()["data"]
        assert put(data["upload_url"], PDF, "application/pdf").status_code == 204
        ids.append(data["file_id"])
    assert caller.post(f"{path}/messages", {text: "Two bills", "attachments": ids}).status_code < 300
    assert caller.post(f"{path}/messages", {text: "Just words"}).status_code < 300
    listed = f"/v1/conversations/conv_{Conversation.objects.get().uuid.hex}/messages"
    message, words = ok(robot.get(f"{listed}?order=asc"))["messages"]
    assert (message["type"], message["text"], "attachments" in words) == ("text", {"body": "Two bills"}, False)
    expected = {"file_name": "Lámpara.pdf", "file_type": "application/pdf", "file_size": len(PDF)}
    assert message["attachments"] == [
        {"uuid": str(row.uuid), **expected, "url": shown["url"]}
        for row, shown in zip(Attachment.objects.order_by("id"), message["attachments"], strict=True)
    ]
    single = ok(robot.get(f"{listed}/{message['id']}"))
    changed = ok(robot.patch(f"{listed}/{message['id']}", {"metadata": {"read": 1}}))
    for shown in (message, single, changed):
        assert [content(fetch(file["url"])) for file in shown["attachments"]] == [PDF, PDF]


@pytest.mark.parametrize("dialect", ["assistant", "platform"])
def test_a_users_file_is_for_its_own_conversation(maya, john, acme, dialect):
    given = {"filename": "a.png", "content_type": "image/png", "size": len(PNG)}
    if dialect == "assistant":
        caller, text = maya, "content"
        paths = [f"/chat/conversations/{new_conversation(maya)}" for _ in range(2)]
    else:
        caller, text = john, "text"
        paths = [f"/api/v1/chat/conversations/{with_mary(john, acme)}" for _ in range(2)]
    data = caller.post(f"{paths[0]}/uploads", given).json()["data"]
    for state in ("announced", "of another conversation"):
        before = everything()
        path = paths[0] if state == "announced" else paths[1]
        answer = caller.post(f"{path}/messages", {text: "x", "attachments": [data["file_id"]]})
        assert (answer.status_code, everything()) == (400 if dialect == "assistant" else 422, before)
        if state == "announced":
            assert put(data["upload_url"], PNG).status_code == 204
    assert caller.post(f"{paths[0]}/messages", {text: "x", "attachments": [data["file_id"]]}).status_code < 300


def test_statements_do_not_grow_with_files(robot, john, acme):
    made, uuid = begin(robot), with_mary(john, acme)
    path = f"/api/v1/chat/conversations/{uuid}"

    def count() -> tuple[int, int]:
        calls = (lambda: ok(robot.get(path_of(made, "messages"))), lambda: ok(john.get(f"{path}/messages")))
        return len(statements(calls[0])), len(statements(calls[1]))

    def add() -> None:
        ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)
        given = {"filename": "a.png", "content_type": "image/png", "size": len(PNG)}
        data = john.post(f"{path}/uploads", given).json()["data"]
        assert put(data["upload_url"], PNG).status_code == 204
        ok(john.post(f"{path}/messages", {"text": "x", "attachments": [data["file_id"]]}), 201)

    add()
    count()  # whoever calls is known from here on
    few = count()
    for _ in range(4):
        add()
    assert (few, count()) == ((3, 3), (3, 3))


@pytest.mark.parametrize("wrong", ["", "  ", "x", {}, 1, True])
def test_what_is_no_list_of_files_is_refused_by_platform(john, acme, wrong):
    path = f"/api/v1/chat/conversations/{with_mary(john, acme)}/messages"
    before = everything()
    answer = john.post(path, {"text": "x", "attachments": wrong})
    assert (answer.status_code, answer.json()["errors"]) == (
        422, {"attachments": ["The attachments field must be an array."]},
    )  # fmt: skip
    assert everything() == before


def test_statements_of_workspace_do_not_grow_with_files_beside_texts(robot, maya):
    """One more for a page that has some."""
    number = new_conversation(maya)
    path = f"/v1/conversations/conv_{Conversation.objects.get(pk=number).uuid.hex}/messages"

    def add(files: int) -> None:
        ids = []
        for _ in range(files):
            given = {"filename": "a.png", "content_type": "image/png", "size": len(PNG)}
            data = maya.post(f"/chat/conversations/{number}/uploads", given).json()["data"]
            assert put(data["upload_url"], PNG).status_code == 204
            ids.append(data["file_id"])
        say(maya, number, "x", attachments=ids)

    counts = []
    ok(robot.get(path))  # whoever calls is known from here on
    for files in (0, 1, 3, 2):
        add(files)
        counts.append(len(statements(lambda: ok(robot.get(path)))))
    assert counts == [2, 3, 3, 3]


# --- getting ---


@pytest.mark.contract("workspace: Then file_id goes into a message")
def test_a_download_is_an_attachment_and_nothing_else(robot):
    """as an attachment, never rendered by this origin"""
    made = begin(robot)
    file_id = bring(robot, made, PDF, filename='bill "of" <May>;.html', content_type="application/pdf")
    url = ok(post(robot, made, "file", {"file_id": file_id}), 201)["file"]["url"]
    answer = fetch(url)
    assert answer["Content-Disposition"].startswith(
        "attachment; filename=\"bill _of_ _May__.html.pdf\"; filename*=UTF-8''"
    )
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert answer["Cache-Control"] == "private, no-store"
    assert (answer["Content-Length"], content(answer)) == (str(len(PDF)), PDF)
    head = fetch(url, "HEAD")
    assert (head.status_code, head["Content-Length"], head.content) == (200, str(len(PDF)), b"")
    for method in ("POST", "DELETE", "PATCH"):
        refused = fetch(url, method)
        assert (refused.status_code, refused.json()["error"]["code"]) == (405, "1009")
        assert refused["Allow"] == "GET, HEAD, PUT"


RANGES = {
    "bytes=0-3": (206, slice(0, 4)), "bytes=4-": (206, slice(4, None)), "bytes=-5": (206, slice(-5, None)),
    "bytes=0-9999": (206, slice(0, None)), "bytes=-9999": (206, slice(0, None)), "bytes=7-7": (206, slice(7, 8)),
    "bytes=9999-": (416, None), "bytes=-0": (416, None), "bytes=5-2": (200, slice(None)),
    "bytes=0-1,3-4": (200, slice(None)), "lines=0-1": (200, slice(None)), "bytes=": (200, slice(None)),
    "bytes=٣-٤": (200, slice(None)),
}  # fmt: skip


@pytest.mark.parametrize("asked", RANGES)
def test_a_part_of_a_file(robot, asked):
    made = begin(robot)
    url = ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)["image"]["url"]
    answer = fetch(url, range=asked)
    status, part = RANGES[asked]
    assert answer.status_code == status
    if part is None:
        assert answer["Content-Range"] == f"bytes */{len(PNG)}"
        return
    got = content(answer)
    assert got == PNG[part]
    assert answer["Content-Length"] == str(len(got))
    if status == 206:
        start = part.start % len(PNG) if part.start else 0
        assert answer["Content-Range"] == f"bytes {start}-{start + len(got) - 1}/{len(PNG)}"


def test_a_part_of_the_file_that_one_has(robot):
    made = begin(robot)
    url = ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)["image"]["url"]
    etag = fetch(url)["ETag"]
    assert fetch(url, range="bytes=0-3", if_range=etag).status_code == 206
    assert fetch(url, range="bytes=0-3", if_range='"another"').status_code == 200


@pytest.mark.parametrize("gone", ["message", "conversation", "bytes", "retention"])
def test_what_was_deleted_is_not_served(robot, gone, folder):
    made = begin(robot)
    sent = ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)
    url = sent["image"]["url"]
    assert content(fetch(url)) == PNG
    if gone == "message":
        ok(robot.delete(path_of(made, "messages", sent["id"])), 204)
    elif gone == "conversation":
        ok(robot.delete(path_of(made)), 204)
    elif gone == "bytes":
        default_storage.delete(Upload.objects.get().storage_key)
    else:
        Upload.objects.update(removed_at=Upload.objects.get().created_at)
    assert_refused(fetch(url), "1004")


def test_a_file_that_no_message_shows_is_not_served(robot):
    made = begin(robot)
    bring(robot, made)
    assert_refused(fetch(download_address(Upload.objects.get().uuid, "x.png")), "1004")
    assert Message.objects.count() == 0


def test_nobody_reads_the_credential_from_the_database(robot):
    """an answer with an address is kept by no Idempotency-Key"""
    made = begin(robot)
    given = {"filename": "a.png", "content_type": "image/png", "size": 5}
    answers = [ok(robot.post(path_of(made, "uploads"), given, Idempotency_Key="k1"), 201) for _ in range(2)]
    assert answers[0]["file_id"] != answers[1]["file_id"]
    signature = parse_qs(urlsplit(answers[0]["upload_url"]).query)["signature"][0]
    assert signature not in str(everything())
    assert local(answers[0]["upload_url"]).startswith("/files/")


@pytest.mark.contract("behaviour: Accepted by content")
def test_what_a_type_says_of_itself_is_not_looked_at(robot, folder):
    """parameters, at the announcement and with the bytes"""
    name, data = GOOD["audio/ogg"]
    said = 'audio/ogg; codecs="opus"'
    announced = announce(robot, begin(robot), data, filename=name, content_type=said)
    assert put(announced["upload_url"], data, "audio/ogg;codecs=opus").status_code == 204
    assert Upload.objects.get().content_type == "audio/ogg"
    assert announce(robot, begin(robot), filename="a.webm", content_type="audio/webm;codecs=opus")["file_id"]


@pytest.mark.parametrize("size", [0, -1])
def test_a_file_of_nothing_is_told_so(robot, size):
    given = {"filename": "a.png", "content_type": "image/png", "size": size}
    answer = robot.post(path_of(begin(robot), "uploads"), given)
    assert wrong_fields(answer) == ["size"]
    assert "Must be at least 1." in answer.content.decode()


@pytest.mark.contract("workspace: Types: text {body}; image")
@pytest.mark.parametrize("name", ["a\u202egnp.exe", "a\nX", "../evil.exe", "a\\b", "a\x07"])
def test_a_messages_file_name_is_looked_at_too(robot, name):
    made = begin(robot)
    file_id = bring(robot, made)
    before = everything()
    for which in ({"file_id": file_id}, {"url": "https://x.example.com/a"}):
        assert wrong_fields(post(robot, made, "file", {**which, "filename": name})) == ["file.filename"]
    assert everything() == before
    sent = ok(post(robot, made, "file", {"file_id": file_id, "filename": "invoice.exe"}), 201)
    assert (sent["file"]["filename"], Attachment.objects.get().file_name) == ("parcel.png", "parcel.png")


def test_a_file_that_retention_removed_is_not_offered(robot, john, acme):
    """no `url` in workspace, null where the shape has one"""
    made, uuid = begin(robot), with_mary(john, acme)
    path = f"/api/v1/chat/conversations/{uuid}"
    sent = ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)
    given = {"filename": "a.png", "content_type": "image/png", "size": len(PNG)}
    data = john.post(f"{path}/uploads", given).json()["data"]
    assert put(data["upload_url"], PNG).status_code == 204
    ok(john.post(f"{path}/messages", {"text": "x", "attachments": [data["file_id"]]}), 201)
    Upload.objects.update(removed_at=Upload.objects.latest("id").created_at)
    for shown in (
        ok(robot.get(path_of(made, "messages", sent["id"]))),
        ok(robot.get(path_of(made, "messages")))["messages"][0],
    ):
        assert shown["image"] == {"file_id": sent["image"]["file_id"], "filename": "parcel.png"}
    [message] = john.get(f"{path}/messages").json()["data"]
    [file] = message["attachments"]
    assert (file["file_name"], file["file_size"], file["url"]) == ("a.png", len(PNG), None)


def test_addresses_begin_where_this_server_is_reached(robot):
    """whatever host a request names"""
    made = begin(robot)
    with override_settings(FILES_URL="https://chat.example.com"):
        announced = robot.post(
            path_of(made, "uploads"),
            {"filename": "a.png", "content_type": "image/png", "size": len(PNG)},
            Host="evil.example.com",
        ).json()
        assert announced["upload_url"].startswith("https://chat.example.com/files/")
        assert put(announced["upload_url"], PNG).status_code == 204
        sent = ok(post(robot, made, "image", {"file_id": announced["file_id"]}), 201)
        assert sent["image"]["url"].startswith("https://chat.example.com/files/")
        assert content(fetch(sent["image"]["url"])) == PNG
