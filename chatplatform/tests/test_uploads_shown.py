"""contracts/workspace.md and behaviour.md, Uploads: in messages and got back, on the local disk."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings

from chatplatform.tests.samples import GOOD, PDF, PNG
from chatplatform.tests.store import everything, new_conversation, say, statements, take_part
from chatplatform.tests.uploading import announce, bring, content, fetch, local, put, with_mary
from chatplatform.tests.workspace import assert_refused, begin, ok, path_of, post, wrong_fields
from conversations.models import Conversation
from messaging.files import download_address
from messaging.models import Attachment, Message, Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


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
