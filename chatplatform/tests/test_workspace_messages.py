"""contracts/workspace.md, "Messages": sending."""

import time
from typing import Any

import pytest

from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything
from messaging.models import Attachment, Message, Upload

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.contract("workspace: POST …/messages |", "README: documented strings are part of the contract")
def test_a_message_is_answered_whole(robot):
    made = ws.begin(robot)
    answer = ws.say(robot, made, "Hola, ¿en qué podemos ayudarte? 👋", ws.AGENT, metadata={"internal_note": "Primera"})
    message = Message.objects.get()
    assert answer == {
        "id": f"msg_{message.uuid.hex}",
        "conversation_id": made["id"],
        "type": "text",
        "text": {"body": "Hola, ¿en qué podemos ayudarte? 👋"},
        "sender": {"agent_id": "agent_1", "name": "Acme Admin"},
        "timestamp": ws.AT,
        "status": "sent",
        "metadata": {"internal_note": "Primera"},
    }
    assert list(answer) == [
        "id", "conversation_id", "type", "text", "sender", "timestamp", "status", "metadata",
    ]  # fmt: skip
    assert ws.ok(robot.get(ws.path_of(made, "messages", answer["id"]))) == answer
    assert ws.ok(robot.get(ws.path_of(made, "messages"))) == {
        "messages": [answer], "pagination": {"limit": 50, "offset": 0, "total": 1},
    }  # fmt: skip
    row = ws.row_of(made)
    assert (row.message_count, row.owner_unread, row.staff_unread) == (1, 1, 0)
    assert events_of(row.pk)[-1] == ("conversation.message.created", None)


URL = "https://cdn.example.com/files/foto%20uno.jpg?size=2"
OBJECTS: list[tuple[str, dict[str, Any]]] = [
    ("text", {"body": "  two\nlines \t"}),
    *((kind, {"url": URL}) for kind in ("image", "video", "audio", "file")),
    ("image", {"url": "http://127.0.0.1:8000/a", "filename": "photo.png", "caption": "Aquí está 📷"}),
    ("file", {"url": "HTTPS://[2001:db8::1]/", "filename": "Überblick 2024.pdf"}),
    ("location", {"latitude": 19.4326, "longitude": -99.1332, "name": "Ciudad de México", "address": "CDMX, México"}),
    ("location", {"latitude": 90, "longitude": -180}),
    ("location", {"latitude": -90.0, "longitude": 180.0}),
    ("contact", {"formatted_name": "Juan Pérez"}),
    (
        "contact",
        {
            "formatted_name": "Juan Pérez",
            "phones": [{"phone": "+5215512345678", "type": "MOBILE"}, {"phone": "(55) 1234", "type": "WORK"}],
            "emails": [{"email": "juan@ejemplo.com", "type": "WORK"}],
        },
    ),
]  # fmt: skip


@pytest.mark.contract("workspace: Types: text {body}; image")
@pytest.mark.parametrize(("type_", "content"), OBJECTS)
def test_every_type_comes_back_as_it_was_sent(robot, type_, content):
    made = ws.begin(robot)
    answer = ws.ok(ws.post(robot, made, type_, content), 201)
    assert (answer["type"], answer[type_]) == (type_, content)
    assert [name for name in ("text", "image", "video", "audio", "file", "location", "contact") if name in answer] == [
        type_
    ]
    assert ws.ok(robot.get(ws.path_of(made, "messages", answer["id"]))) == answer
    assert ws.ok(robot.get(ws.path_of(made, "messages")))["messages"] == [answer]


@pytest.mark.contract("behaviour: text | the text | text", "behaviour: image, video, audio, file | the caption",
                      "behaviour: location | [location] name", "behaviour: contact | [contact] formatted name",
                      "mapping: message's text", "mapping: message's kind", "mapping: who sent it")  # fmt: skip
@pytest.mark.parametrize(
    ("type_", "content", "line"),
    [
        ("text", {"body": "Hola"}, "Hola"),
        ("image", {"url": URL, "caption": "Aquí"}, "Aquí"), ("image", {"url": URL}, "[image] foto uno.jpg"),
        ("audio", {"url": "https://e.org/"}, "[audio]"), ("file", {"url": URL, "filename": "x.pdf"}, "[file] x.pdf"),
        ("location", {"latitude": 1, "longitude": 2.5}, "[location] 1, 2.5"),
        ("location", {"latitude": 1, "longitude": 2.5, "name": "Casa"}, "[location] Casa"),
        ("contact", {"formatted_name": "Juan"}, "[contact] Juan"),
    ],
)  # fmt: skip
def test_every_type_reads_as_one_line_in_assistant(robot, desk, type_, content, line):
    made = ws.begin(robot)
    ws.ok(ws.post(robot, made, type_, content), 201)
    row = ws.row_of(made)
    [message] = desk.get(f"/chat/conversations/{row.pk}/messages").json()["data"]["messages"]
    assert (message["content"], message["content_type"], message["sender"]) == (line, type_, "user")
    assert row.last_message_text == line


def test_a_linked_file_is_an_attachment(robot):
    made = ws.begin(robot)
    for content in ({"url": URL}, {"url": "https://e.org/a/b.unknown"}, {"url": "https://e.org", "filename": "x.pdf"}):
        ws.ok(ws.post(robot, made, "file", content), 201)
    found = Attachment.objects.order_by("id").values_list("file_name", "file_type", "url")
    assert list(found) == [
        ("foto uno.jpg", "image/jpeg", URL), ("b.unknown", "", "https://e.org/a/b.unknown"),
        ("x.pdf", "application/pdf", "https://e.org"),
    ]  # fmt: skip
    assert list(Message.objects.values_list("attachment_count", flat=True)) == [1, 1, 1]


@pytest.mark.contract("workspace: Types: text {body}; image", "workspace: 1003 | 422")
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": None}, "type"), ({"type": "sticker"}, "type"), ({"type": "event"}, "type"), ({"type": 7}, "type"),
        ({"type": ["text"]}, "type"), ({"type": "image"}, "image"), ({"text": None}, "text"),
        ({"text": "Hola"}, "text.non_field_errors"), ({"text": {}}, "text.body"), ({"text": {"body": 7}}, "text.body"),
        ({"text": {"body": " \n"}}, "text.body"), ({"sender": None}, "sender"),
        ({"sender": "agent_1"}, "sender.non_field_errors"),
        ({"sender": {"contact_id": 1}}, "sender.contact_id"), ({"metadata": []}, "metadata"),
        ({"metadata": {"a": "x" * 16_384}}, "metadata"),
        *(
            ({"type": kind, kind: content}, f"{kind}.{field}")
            for kind in ("image", "video", "audio", "file")
            for content, field in [
                ({}, "url"), ({"url": URL, "file_id": "file_1"}, "url"), ({"url": "ftp://e.org/a"}, "url"),
                ({"url": "javascript:alert(1)"}, "url"), ({"url": "https://"}, "url"), ({"url": "/a.png"}, "url"),
                ({"url": "https://e.org/a b"}, "url"), ({"url": "https://[::1/"}, "url"), ({"url": 7}, "url"),
                ({"url": "https://e.org/" + "a" * 2000}, "url"), ({"file_id": "file_1"}, "file_id"),
                ({"file_id": "file_" + "0" * 32}, "file_id"), ({"url": URL, "caption": 7}, "caption"),
                ({"url": URL, "filename": "x" * 256}, "filename"),
            ]
        ),
        *(
            ({"type": "location", "location": {"latitude": 1, "longitude": 2, **content}}, f"location.{field}")
            for content, field in [
                ({"latitude": 90.01}, "latitude"), ({"latitude": "1"}, "latitude"), ({"latitude": True}, "latitude"),
                ({"latitude": None}, "latitude"), ({"longitude": -181}, "longitude"), ({"longitude": []}, "longitude"),
                ({"name": 7}, "name"), ({"name": "x" * 256}, "name"), ({"address": "x" * 1001}, "address"),
            ]
        ),
        *(
            ({"type": "contact", "contact": {"formatted_name": "Juan", **content}}, f"contact.{field}")
            for content, field in [
                ({"formatted_name": None}, "formatted_name"), ({"formatted_name": ""}, "formatted_name"),
                ({"phones": {}}, "phones"), ({"phones": [{"phone": 55, "type": "WORK"}]}, "phones.0.phone"),
                ({"phones": [{"phone": "55"}]}, "phones.0.type"), ({"emails": [{"type": "WORK"}]}, "emails.0.email"),
                ({"emails": [{"email": "nobody", "type": "WORK"}]}, "emails.0.email"),
                ({"phones": ["55"]}, "phones.0.non_field_errors"),
            ]
        ),
    ],
)  # fmt: skip
def test_a_wrong_message_is_refused_with_its_place(robot, given, field):
    made = ws.begin(robot)
    before = everything()
    whole = {"type": "text", "text": {"body": "Hola"}, "sender": ws.CUSTOMER, **given}
    assert ws.wrong_fields(robot.post(ws.path_of(made, "messages"), whole)) == [field]
    assert everything() == before


@pytest.mark.contract("workspace: Text over 65,536 UTF-8 bytes: 2005", "workspace: 2005 | 413")
def test_texts_and_captions_up_to_65536_bytes(robot):
    made = ws.begin(robot)
    whole = "é" * 32_768
    assert ws.say(robot, made, whole)["text"]["body"] == whole
    assert ws.ok(ws.post(robot, made, "image", {"url": URL, "caption": whole}), 201)["image"]["caption"] == whole
    before = everything()
    ws.assert_refused(ws.post(robot, made, "text", {"body": whole + "x"}), "2005")
    ws.assert_refused(ws.post(robot, made, "image", {"url": URL, "caption": whole + "x"}), "2005")
    assert everything() == before


@pytest.mark.contract("workspace: Types: text {body}; image")
def test_a_received_file_goes_into_one_message(acme, rival, robot, clock):
    made, other = ws.begin(robot), ws.begin(robot)
    files = [
        Upload.objects.create(
            client=acme.client, conversation=ws.row_of(made), file_name=f"{state}.pdf", content_type="application/pdf",
            size=9, state=state, storage_key="k" if state != "pending" else "", created_at=ws.row_of(made).created_at,
            received_at=ws.row_of(made).created_at, expires_at="2028-01-01T00:00:00Z",
        )
        for state in ("ready", "pending", "used")
    ]  # fmt: skip
    ready, pending, used = (f"file_{upload.uuid.hex}" for upload in files)
    answer = ws.ok(ws.post(robot, made, "file", {"file_id": ready, "caption": "Factura"}), 201)
    url = answer["file"].pop("url")
    assert url.startswith(f"http://testserver/files/{files[0].uuid.hex}?expires={int(time.time()) + 900}&signature=")
    assert answer["file"] == {"file_id": ready, "filename": "ready.pdf", "caption": "Factura"}
    answer["file"]["url"] = url
    assert ws.ok(robot.get(ws.path_of(made, "messages", answer["id"]))) == answer
    assert Attachment.objects.get().upload == files[0]
    before = everything()
    for conversation, file_id in [(made, ready), (made, pending), (made, used), (other, ready), (made, "nothing")]:
        assert ws.wrong_fields(ws.post(robot, conversation, "file", {"file_id": file_id})) == ["file.file_id"]
    assert everything() == before
