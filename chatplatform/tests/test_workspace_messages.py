"""contracts/workspace.md, "Messages"."""

import time
from typing import Any

import pytest
from django.test import override_settings

from chatplatform.tests import workspace as ws
from chatplatform.tests.store import events_of, everything
from conversations.models import Conversation
from messaging.actions import add_note
from messaging.models import Attachment, Message, Upload
from messaging.senders import as_agent

pytestmark = pytest.mark.usefixtures("clock")


def post(robot, conversation, type_, content, sender=ws.CUSTOMER, **fields):
    given = {"type": type_, type_: content, "sender": sender, **fields}
    return robot.post(ws.path_of(conversation, "messages"), given)


def bodies(answer):
    return [message["text"]["body"] for message in answer["messages"]]


# --- sending ---


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
    answer = ws.ok(post(robot, made, type_, content), 201)
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
    ws.ok(post(robot, made, type_, content), 201)
    row = ws.row_of(made)
    [message] = desk.get(f"/chat/conversations/{row.pk}/messages").json()["data"]["messages"]
    assert (message["content"], message["content_type"], message["sender"]) == (line, type_, "user")
    assert row.last_message_text == line


def test_a_linked_file_is_an_attachment(robot):
    made = ws.begin(robot)
    for content in ({"url": URL}, {"url": "https://e.org/a/b.unknown"}, {"url": "https://e.org", "filename": "x.pdf"}):
        ws.ok(post(robot, made, "file", content), 201)
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
    assert ws.ok(post(robot, made, "image", {"url": URL, "caption": whole}), 201)["image"]["caption"] == whole
    before = everything()
    ws.assert_refused(post(robot, made, "text", {"body": whole + "x"}), "2005")
    ws.assert_refused(post(robot, made, "image", {"url": URL, "caption": whole + "x"}), "2005")
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
    answer = ws.ok(post(robot, made, "file", {"file_id": ready, "caption": "Factura"}), 201)
    url = answer["file"].pop("url")
    assert url.startswith(f"http://testserver/files/{files[0].uuid.hex}?expires={int(time.time()) + 900}&signature=")
    assert answer["file"] == {"file_id": ready, "filename": "ready.pdf", "caption": "Factura"}
    answer["file"]["url"] = url
    assert ws.ok(robot.get(ws.path_of(made, "messages", answer["id"]))) == answer
    assert Attachment.objects.get().upload == files[0]
    before = everything()
    for conversation, file_id in [(made, ready), (made, pending), (made, used), (other, ready), (made, "nothing")]:
        assert ws.wrong_fields(post(robot, conversation, "file", {"file_id": file_id})) == ["file.file_id"]
    assert everything() == before


# --- reading ---


@pytest.fixture
def thread(robot):
    """Ten messages; the fifth was deleted, and a private note stands between."""
    made = ws.begin(robot)
    sent = [ws.say(robot, made, str(n)) for n in range(5)]
    add_note(conversation=ws.row_of(made), sender=as_agent(ws.row_of(made).assigned_agent), text="whisper")
    sent += [ws.say(robot, made, str(n), ws.AGENT) for n in range(5, 10)]
    ws.ok(robot.delete(ws.path_of(made, "messages", sent[4]["id"])), 204)
    return made, {message["text"]["body"]: message["id"] for message in sent}


WINDOWS = {
    "": "98765 3210", "?order=asc": "0123 56789", "?limit=3": "987", "?limit=3&offset=3": "65 3",
    "?limit=3&offset=8": "0", "?offset=9": "", "?order=asc&limit=2&offset=3": "3 5",
    "?before=6": "5 3210", "?before=6&limit=2": "5 3", "?before=6&order=asc": "0123 5", "?before=0": "",
    "?before=6&order=asc&limit=2": "01", "?after=6": "987", "?after=6&order=asc&limit=2": "78", "?after=9": "",
    "?after=1&before=6": "5 32", "?after=1&before=6&limit=1&offset=1": "3", "?after=6&before=1": "",
    "?before=&after=": "98765 3210", "?limit=5000": "98765 3210",
}  # fmt: skip


@pytest.mark.contract("workspace: GET …/messages?limit=50&order=desc")
@pytest.mark.parametrize("query", WINDOWS)
def test_pages_of_messages(robot, thread, query):
    made, ids = thread
    asked = query
    for number in ids:
        asked = asked.replace(f"before={number}", f"before={ids[number]}", 1) if f"before={number}" in query else asked
        asked = asked.replace(f"after={number}", f"after={ids[number]}", 1) if f"after={number}" in query else asked
    answer = ws.ok(robot.get(ws.path_of(made, "messages") + asked))
    assert bodies(answer) == list(WINDOWS[query].replace(" ", ""))
    assert answer["pagination"]["total"] == 9
    assert answer["pagination"]["limit"] == (500 if "5000" in query else int(query[7]) if "?limit" in query else
                                             answer["pagination"]["limit"])  # fmt: skip


@pytest.mark.contract(
    "workspace: GET …/messages?limit=50&order=desc", "workspace: message, participant, file, webhook, rule, path"
)
def test_what_is_no_message_of_it_is_no_place_in_it(robot, thread):
    made, ids = thread
    elsewhere = ws.say(robot, ws.begin(robot), "Hello")["id"]
    for name in ("before", "after"):
        for anchor in (ids["4"], elsewhere, "msg_" + "0" * 32, "7"):
            ws.assert_refused(robot.get(ws.path_of(made, "messages") + f"?{name}={anchor}"), "1004")
    for query, field in [
        ("limit=0", "limit"),
        ("offset=-1", "offset"),
        ("order=up", "order"),
        ("before=%00", "before"),
    ]:
        assert ws.wrong_fields(robot.get(ws.path_of(made, "messages") + f"?{query}")) == [field]


@pytest.mark.contract(
    "workspace: The API serves a conversation's newest 10,000", "workspace: GET …/messages/{message_id}"
)
@pytest.mark.parametrize("deleted", [False, True])
def test_lists_serve_the_newest_and_one_by_one_all(robot, deleted):
    made = ws.begin(robot)
    sent = [ws.say(robot, made, str(n)) for n in range(8)]
    if deleted:
        ws.ok(robot.delete(ws.path_of(made, "messages", sent[6]["id"])), 204)
    newest = ["4", "5", "6", "7"] if not deleted else ["3", "4", "5", "7"]
    with override_settings(MESSAGE_WINDOW=4):
        path = ws.path_of(made, "messages")
        for query, expected in {
            "": newest[::-1], "?order=asc": newest, "?order=asc&limit=2": newest[:2], "?offset=3": newest[:1],
            f"?before={sent[7]['id']}": newest[:3][::-1], f"?before={sent[7]['id']}&order=asc&limit=1": newest[:1],
            f"?after={sent[0]['id']}&order=asc": newest, f"?before={sent[1]['id']}": [],
            f"?after={sent[5]['id']}": newest[3 - (not deleted):][::-1],
        }.items():  # fmt: skip
            answer = ws.ok(robot.get(path + query))
            assert (bodies(answer), answer["pagination"]["total"]) == (expected, 4), query
        assert ws.ok(robot.get(ws.path_of(made, "messages", sent[0]["id"]))) == sent[0]
    assert ws.ok(robot.get(path))["pagination"]["total"] == 8 - deleted


@pytest.mark.contract("behaviour: Private notes", "workspace: message, participant, file, webhook, rule, path")
def test_messages_that_nobody_may_see_are_unknown(robot, thread):
    made, ids = thread
    note = Message.objects.get(visibility="private")
    other = ws.begin(robot)
    before = everything()
    for where, name in [
        (made, f"msg_{note.uuid.hex}"), (made, ids["4"]), (other, ids["3"]), (made, "msg_" + "0" * 32), (made, "7"),
        (made, ids["3"].upper()), (made, ids["3"].replace("msg", "conv")),
    ]:  # fmt: skip
        ws.assert_refused(robot.get(ws.path_of(where, "messages", name)), "1004")
        ws.assert_refused(robot.patch(ws.path_of(where, "messages", name), {"status": "read"}), "1004")
        ws.assert_refused(robot.delete(ws.path_of(where, "messages", name)), "1004")
    assert everything() == before


# --- changing ---


@pytest.mark.contract("workspace: PATCH …/messages/{message_id}")
def test_metadata_is_merged_and_an_edit_marked(robot, clock):
    made = ws.begin(robot)
    sent = ws.say(robot, made, "Hola", metadata={"a": 1, "b": {"c": 2}})
    path = ws.path_of(made, "messages", sent["id"])
    given = {"metadata": {"edited": True, "edit_reason": "Corrección", "a": None}, "status": "delivered"}
    answer = ws.ok(robot.patch(path, given))
    metadata = {"b": {"c": 2}, "edited": True, "edit_reason": "Corrección"}
    assert answer == {**sent, "metadata": metadata, "status": "delivered"}
    assert ws.ok(robot.get(path)) == answer
    told = {"status": ["sent", "delivered"], "metadata": [{"a": 1, "b": {"c": 2}}, metadata]}
    assert events_of(ws.row_of(made).pk)[-1] == ("conversation.message.updated", told)
    before = everything()
    assert ws.ok(robot.patch(path, {"status": "delivered", "metadata": {"edited": True, "zzz": None}})) == answer
    assert ws.ok(robot.patch(path, {})) == answer
    assert everything() == before
    assert ws.ok(robot.patch(path, {"metadata": None}))["metadata"] == {}


STATUSES = ["sent", "delivered", "read", "failed"]


@pytest.mark.contract("workspace: PATCH …/messages/{message_id}", "workspace: idempotency key reused; a state change")
@pytest.mark.parametrize("old", STATUSES)
def test_a_status_goes_forward_only(robot, old):
    allowed = {
        "sent": ["delivered", "read", "failed"],
        "delivered": ["read", "failed"],
        "read": ["failed"],
        "failed": [],
    }
    made = ws.begin(robot)
    for new in STATUSES:
        sent = ws.say(robot, made, "Hola")
        path = ws.path_of(made, "messages", sent["id"])
        if old != "sent":
            ws.ok(robot.patch(path, {"status": old}))
        before = everything()
        answer = robot.patch(path, {"status": new, "metadata": {"tried": new}} if new != old else {"status": new})
        if new == old or new in allowed[old]:
            assert ws.ok(answer)["status"] == new
        else:
            ws.assert_refused(answer, "1006", {"from": old, "to": new})
            assert everything() == before


@pytest.mark.contract("workspace: PATCH …/messages/{message_id}")
def test_the_content_is_immutable(robot):
    made = ws.begin(robot)
    sent = ws.say(robot, made, "Hola")
    path = ws.path_of(made, "messages", sent["id"])
    before = everything()
    for given, fields in [
        ({"text": {"body": "Adiós"}}, ["text"]), ({"text": None}, ["text"]),
        ({"type": "image", "image": {}}, ["type", "image"]),
        ({"location": {}, "status": "read"}, ["location"]), ({"sender": ws.AGENT, "metadata": {"a": 1}}, ["sender"]),
        ({"status": "lost"}, ["status"]), ({"status": None}, ["status"]), ({"metadata": 7}, ["metadata"]),
        ({"metadata": {"a": "x" * 16_384}}, ["metadata"]),
    ]:  # fmt: skip
        assert ws.wrong_fields(robot.patch(path, given)) == fields
    assert everything() == before


@pytest.mark.contract("workspace: DELETE …/messages/{message_id}")
def test_deleting_a_message(robot, desk):
    made = ws.begin(robot)
    first, second = ws.say(robot, made, "First"), ws.say(robot, made, "Second")
    answer = robot.delete(ws.path_of(made, "messages", second["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    shown = ws.ok(robot.get(ws.path_of(made, "messages")))
    assert (bodies(shown), shown["pagination"]["total"]) == (["First"], 1)
    conversation = ws.ok(robot.get(ws.path_of(made)))
    assert (conversation["message_count"], conversation["last_message_at"]) == (1, ws.AT)
    [listed] = ws.ok(robot.get("/v1/conversations"))["conversations"]
    assert listed["message_count"] == 1
    assert ws.row_of(made).last_message_text == "First"
    kept = Message.objects.get(uuid=second["id"].removeprefix("msg_"))
    assert (kept.text, kept.deleted_at is not None) == ("Second", True)
    kind, _ = events_of(ws.row_of(made).pk)[-1]
    assert kind == "conversation.message.updated"
    ws.ok(robot.patch(ws.path_of(made), {"status": "closed"}))  # which a deletion does not mind
    ws.ok(robot.delete(ws.path_of(made, "messages", first["id"])), 204)
    assert Conversation.objects.get().message_count == 0
