"""contracts/workspace.md and behaviour.md, Uploads: announced and put, on the local disk."""

import errno
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatplatform.errors import Forbidden
from chatplatform.tests.samples import GOOD, PDF, PNG
from chatplatform.tests.store import everything, new_conversation, take_part
from chatplatform.tests.uploading import announce, content, fetch, put, stored, with_mary
from chatplatform.tests.workspace import assert_refused, begin, ok, path_of, post, row_of, wrong_fields
from conversations.models import Conversation
from messaging.actions import receive_upload
from messaging.files.disk import DiskStore
from messaging.models import Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


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
