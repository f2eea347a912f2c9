"""contracts/platform.md: messages and the figures that move with them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from chatplatform.tests.store import events_of, everything, new_conversation, say, take_part
from clients.callers import system_caller
from conversations.actions import change_status
from conversations.models import Conversation, Participant
from messaging.actions import add_note, send_message
from messaging.models import Message, Upload
from messaging.senders import as_agent, as_contact

pytestmark = pytest.mark.usefixtures("clock")
URL = "/api/v1/chat/conversations"
HOST = "http://testserver"
AT = "2027-03-01T12:00:00.987654Z"


@pytest.fixture
def row(john, acme):
    """John's conversation with Mary."""
    answer = john.post(URL, {"participant_uuid": str(acme.users[1].user.uuid)})
    return Conversation.objects.get(uuid=answer.json()["data"]["uuid"])


@pytest.fixture
def url(row):
    return f"{URL}/{row.uuid}/messages"


def texts(api, url, query=""):
    answer = api.get(f"{url}{query}")
    assert answer.status_code == 200, answer.content
    return [message["text"] for message in answer.json()["data"]]


def unread(row):
    return list(Participant.objects.filter(conversation=row).order_by("id").values_list("unread_count", flat=True))


@pytest.mark.contract(
    "platform: POST /api/v1/chat/conversations/{uuid}/messages",
    "mapping: message's text | — | — | text",
    "mapping: who sent it | — | — | sender.uuid",
)
def test_send(john, row, url, acme):
    """201 "Message sent successfully"; keys in the documented order"""
    answer = john.post(url, {"text": "Hello Mary"})
    data = {
        "uuid": str(Message.objects.get().uuid), "conversation_uuid": str(row.uuid), "text": "Hello Mary",
        "type": "text", "sender": {"uuid": str(acme.users[0].user.uuid), "name": "User 1"}, "attachments": [],
        "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    assert answer.status_code == 201
    assert json.dumps(answer.json()) == json.dumps({"message": "Message sent successfully", "data": data})
    assert john.get(url).json()["data"] == [data]
    assert [kind for kind, _ in events_of(row.pk)] == ["conversation.created", "conversation.message.created"]


@pytest.mark.contract("platform: POST /api/v1/chat/conversations/{uuid}/messages")
def test_what_a_message_moves(john, mary, row, url, clock):
    """the other participants' `unread_count` grows by one, `last_message_text` and `last_message_at` follow"""
    for api, text, figures in ((john, "One", [0, 1]), (john, "Two", [0, 2]), (mary, "Three", [1, 2])):
        clock.shift(1)
        api.post(url, {"text": text})
        assert unread(row) == figures
        data = john.get(f"{URL}/{row.uuid}").json()["data"]
        assert (data["last_message_text"], [p["pivot"]["unread_count"] for p in data["participants"]]) == (
            text,
            figures,
        )
    assert data["last_message_at"] == "2027-03-01T12:00:03.987654Z"
    assert john.get(f"{URL}/{row.uuid}").json() == mary.get(f"{URL}/{row.uuid}").json()
    john.get(url)
    assert unread(row) == [1, 2]  # looking at them marks nothing read


@pytest.mark.contract("platform: GET /api/v1/chat/conversations/{uuid}/messages")
def test_list(john, mary, row, url):
    """newest first, paginated likewise"""
    for number in range(17):
        (john if number % 2 else mary).post(url, {"text": f"Line {number}"})
    lines = [f"Line {number}" for number in range(16, -1, -1)]
    first = mary.get(url).json()
    assert [message["text"] for message in first["data"]] == lines[:15]
    path = f"{HOST}{url}"
    assert json.dumps({name: first[name] for name in ("links", "meta")}) == json.dumps({
        "links": {"first": f"{path}?page=1", "last": f"{path}?page=2", "prev": None, "next": f"{path}?page=2"},
        "meta": {
            "current_page": 1, "from": 1, "last_page": 2, "path": path, "per_page": 15, "to": 15, "total": 17,
        },
    })  # fmt: skip
    assert list(first) == ["data", "links", "meta"]
    assert texts(john, f"{url}/", "?page=2") == lines[15:]
    assert texts(john, url, "?page=2&per_page=16") == lines[16:]
    assert texts(john, url, "?page=3") == texts(john, url, "?page=999999999999999999&per_page=999") == []
    asked = john.get(f"{url}?per_page=5&page=2").json()
    assert asked["links"]["prev"] == f"{path}?per_page=5&page=1"
    assert asked["links"]["next"] == f"{path}?per_page=5&page=3"
    assert (asked["meta"]["from"], asked["meta"]["to"], asked["meta"]["last_page"]) == (6, 10, 4)
    assert john.get(f"{url}?per_page=500").json()["meta"]["per_page"] == 100


def test_the_newest_messages_are_served(john, url, settings):
    """behaviour.md: a window over message lists of every dialect; `total` is at most 10,000"""
    settings.MESSAGE_WINDOW = 10
    for number in range(13):
        john.post(url, {"text": f"Line {number}"})
    window = [f"Line {number}" for number in range(12, 2, -1)]
    assert texts(john, url) == window
    last = john.get(f"{url}?per_page=4&page=3").json()
    assert [message["text"] for message in last["data"]] == window[8:]
    assert (last["meta"]["total"], last["meta"]["last_page"], last["links"]["next"]) == (10, 3, None)
    assert texts(john, url, "?per_page=5&page=3") == []


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=-1"])
def test_a_bad_parameter_is_422(john, url, query):
    answer = john.get(f"{url}?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


REQUIRED = "The text field is required."
REFUSED = [
    *((body, "text", REQUIRED) for body in (None, {}, {"text": None}, {"text": ""}, {"text": " \n"})),
    *(({"text": bad}, "text", "The text field must be a string.") for bad in (5, True, [], {}, ["x"])),
    *(({"text": long}, "text", "The text field must not be greater than 65536 bytes.")
      for long in ("x" * 65_537, "é" * 32_768 + "x")),
    *(({"text": "x", "attachments": bad}, "attachments", "The attachments field must be an array.")
      for bad in ("f", 5, {}, {"0": "f"})),
    ({"text": "x", "attachments": ["01a1fc56-3493-7458-9a71-76e45dec7141"] * 21}, "attachments",
     "The attachments field must not have more than 20 items."),
    *(({"text": "x", "attachments": [bad]}, "attachments.0", "The attachments.0 field must be a valid UUID.")
      for bad in (5, "f", {}, [])),
    *(({"text": "x", "attachments": [blank]}, "attachments.0", "The attachments.0 field is required.")
      for blank in ("", " ")),
    ({"text": "x", "attachments": ["01a1fc56-3493-7458-9a71-76e45dec7141"]}, "attachments.0",
     "The selected attachments.0 is invalid."),
]  # fmt: skip


@pytest.mark.contract("platform: Validation wording:", "README: A message's text is at most")
@pytest.mark.parametrize(("body", "field", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_send_refuses(john, url, body, field, message):
    before = everything()
    answer = john.post(url, body)
    assert (answer.status_code, answer.json()) == (422, {"message": message, "errors": {field: [message]}})
    assert everything() == before


@pytest.mark.parametrize("text", ["x" * 65_536, "😀" * 16_384, " indented\n\ttext ", "<b>&amp;</b>", ":attribute", "٣‮"])
def test_text_is_kept_as_it_is(john, url, text):
    assert john.post(url, {"text": text, "type": "image"}).json()["data"]["text"] == text
    [message] = john.get(url).json()["data"]
    assert (message["text"], message["type"]) == (text, "text")


@pytest.mark.contract(
    'platform: 422 | {"message": "The conversation is closed."', "behaviour: On a closed conversation"
)
def test_a_closed_conversation(john, mary, row, url, acme):
    """422 to a message; reading, marking read and archiving go on"""
    john.post(url, {"text": "One"})
    change_status(conversation=row, status="closed", by=system_caller(acme.client))
    before = everything()
    answer = mary.post(url, {"text": "x"})
    assert answer.status_code == 422
    assert json.dumps(answer.json()) == json.dumps(
        {"message": "The conversation is closed.", "errors": {"conversation": ["The conversation is closed."]}}
    )
    assert everything() == before
    assert texts(mary, url) == ["One"]
    assert mary.post(f"{URL}/{row.uuid}/read").status_code == 200
    assert unread(row) == [0, 0]
    assert mary.patch(f"{URL}/{row.uuid}", {"is_archived": True}).json()["data"]["is_archived"] is True
    assert mary.get(f"{URL}?archived=1").json()["meta"]["total"] == 1


@pytest.mark.contract("behaviour: In platform a sender who is no user")
def test_senders_who_are_no_users(john, maya, acme):
    """`"uuid": null` and a name"""
    row = Conversation.objects.get(pk=new_conversation(maya, agent_id=acme.agents[1].pk))
    send_message(
        conversation=row, sender=as_agent(acme.agents[1]), by=system_caller(acme.client), text="How can I help?"
    )
    send_message(conversation=row, sender=as_contact(acme.contacts[0]), by=system_caller(acme.client), text="Hello")
    messages = john.get(f"{URL}/{row.uuid}/messages").json()["data"]
    assert [message["sender"] for message in messages] == [
        {"uuid": None, "name": "First contact"}, {"uuid": None, "name": "Assistant"},
    ]  # fmt: skip
    assert unread(row) == [2, 0]


@pytest.mark.contract("mapping: message's kind | — | — | type")
@pytest.mark.parametrize(
    ("type_", "text", "content", "line"),
    [
        ("image", "", {"filename": "shoe.png"}, "[image] shoe.png"), ("image", "My shoe", {"filename": "s"}, "My shoe"),
        ("location", "", {"latitude": -6.2, "longitude": 106.8}, "[location] -6.2, 106.8"),
        ("contact", "", {"formatted_name": "Budi S."}, "[contact] Budi S."),
    ],
)  # fmt: skip
def test_messages_of_other_types(john, row, url, acme, type_, text, content, line):
    """behaviour.md, Messages: `platform.text`, last message text; `type`"""
    bot = as_agent(acme.agents[1])
    send_message(conversation=row, sender=bot, by=system_caller(acme.client), type=type_, text=text, content=content)
    [message] = john.get(url).json()["data"]
    assert (message["text"], message["type"]) == (line, type_)
    assert john.get(f"{URL}/{row.uuid}").json()["data"]["last_message_text"] == line


def test_private_notes_appear_nowhere(john, row, url, acme):
    """behaviour.md: in no dialect, count, unread figure, last message"""
    john.post(url, {"text": "One"})
    before = [john.get(path).json() for path in (URL, url)]
    add_note(conversation=row, sender=as_agent(acme.agents[0]), text="A known complainer")
    listed, messages = (john.get(path).json() for path in (URL, url))
    listed["data"][0]["updated_at"] = before[0]["data"][0]["updated_at"]
    assert [listed, messages] == before
    assert unread(row) == [0, 1]


def test_without_the_right_to_write(maya, mary, acme):
    """behaviour.md: else 403; in this dialect's envelope"""
    number = new_conversation(maya)
    take_part(number, acme.users[1].user, can_write=False)
    say(maya, number, "One")
    url = f"{URL}/{Conversation.objects.get().uuid}"
    before = everything()
    answer = mary.post(f"{url}/messages", {"text": "x"})
    assert (answer.status_code, answer.json()) == (403, {"message": "You may not write here"})
    assert everything() == before
    assert texts(mary, f"{url}/messages") == ["One"]
    assert mary.post(f"{url}/read").status_code == 200


# --- attachments: files that were received ---


def upload(row, user, name="bill.pdf", **columns):
    return Upload.objects.create(
        **{
            "client_id": row.client_id, "conversation": row, "created_by_user": user, "file_name": name,
            "content_type": "application/pdf", "size": 1234, "state": "ready", "storage_key": name,
            "expires_at": timezone.now() + timedelta(minutes=15), "received_at": timezone.now(), **columns,
        }
    )  # fmt: skip


@pytest.mark.usefixtures("clock")
def test_attachments(john, mary, row, url, acme):
    """`attachments`: file uuids; shown as {"uuid", "file_name", "file_type", "file_size", "url"}, in their order"""
    files = [upload(row, acme.users[0].user, name) for name in ("b.pdf", "a.pdf")]
    ids = [str(files[0].uuid).upper(), str(files[1].uuid), str(files[0].uuid)]
    data = john.post(url, {"text": "Two bills", "attachments": ids}).json()["data"]
    assert [list(file) for file in data["attachments"]] == [["uuid", "file_name", "file_type", "file_size", "url"]] * 2
    assert [(f["file_name"], f["file_type"], f["file_size"]) for f in data["attachments"]] == [
        ("b.pdf", "application/pdf", 1234), ("a.pdf", "application/pdf", 1234),
    ]  # fmt: skip
    assert mary.get(url).json()["data"] == [data]
    before = everything()
    answer = john.post(url, {"text": "Again", "attachments": ids})
    assert list(answer.json()["errors"]) == ["attachments.0", "attachments.1", "attachments.2"]
    assert answer.json()["message"] == "The selected attachments.0 is invalid. (and 2 more errors)"
    assert everything() == before


@pytest.mark.parametrize("whose", ["announced", "another's", "of another conversation", "of another client"])
def test_files_that_are_not_the_callers_to_send(john, row, url, acme, rival, whose):
    user = acme.users[0].user
    other = Conversation.objects.create(client=acme.client, channel="platform")
    columns = {
        "announced": {"state": "pending", "received_at": None},
        "another's": {"created_by_user": acme.users[1].user},
        "of another conversation": {"conversation": other},
        "of another client": {"client_id": rival.client.pk},
    }[whose]
    file = upload(row, user, **columns)
    before = everything()
    answer = john.post(url, {"text": "x", "attachments": [str(file.uuid)]})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["attachments.0"])
    assert everything() == before


@pytest.mark.parametrize("length", [999, 1000, 1001, 65_536])
def test_a_long_last_message_is_shown_whole(john, row, url, length):
    assert john.post(url, {"text": "x" * length}).status_code == 201
    for path in (f"{URL}/{row.uuid}", URL):
        data = john.get(path).json()["data"]
        shown = data if isinstance(data, dict) else data[0]
        assert shown["last_message_text"] == "x" * length
