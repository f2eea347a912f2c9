"""contracts/assistant.md, calls 4 and 5 and `read`: messages."""

import json
from datetime import timedelta

import pytest

from chatplatform.tests.store import events_of, everything, new_conversation, say, staff, take_part
from clients.callers import system_caller
from conversations.models import Conversation, Participant
from messaging.actions import add_note, send_message
from messaging.models import Message
from messaging.senders import as_agent

pytestmark = pytest.mark.usefixtures("clock")
ROW = [
    "id", "conversation_id", "content", "content_type", "sender", "message_type", "status", "tokens_used",
    "processing_time", "created_at", "attachments",
]  # fmt: skip


@pytest.fixture
def number(maya):
    return new_conversation(maya)


@pytest.fixture
def url(number):
    return f"/chat/conversations/{number}/messages"


def contents(api, url, query=""):
    answer = api.get(f"{url}{query}")
    assert answer.status_code == 200, answer.content
    return [message["content"] for message in answer.json()["data"]["messages"]]


def statuses(api, url):
    return [message["status"] for message in api.get(url).json()["data"]["messages"]]


def unread(api, number):
    data = api.get(f"/chat/conversations/{number}").json()["data"]
    [row] = [row for row in api.get("/chat/conversations").json()["data"]["conversations"] if row["id"] == number]
    assert row["unread_count"] == data["unread_count"]
    return data["unread_count"]


@pytest.mark.contract("assistant: 5 | POST /chat/conversations/{id}/messages")
def test_add(maya, url, number):
    """5: "Message added successfully"; {message_id, conversation_id, content, sender, created_at}"""
    answer = maya.post(url, {"content": "My order number is #12345", "sender_type": "user"})
    row = Message.objects.get()
    data = {
        "message_id": row.pk, "conversation_id": number, "content": "My order number is #12345", "sender": "user",
        "created_at": "2027-03-01T12:00:00Z",
    }  # fmt: skip
    assert answer.status_code == 200
    assert json.dumps(answer.json()) == json.dumps(
        {"success": True, "message": "Message added successfully", "data": data}
    )


@pytest.mark.contract(
    "assistant: 4 | GET /chat/conversations/{id}/messages",
    "behaviour: text | the text |",
    "README: whatsapp, workspace, assistant: 2024",
)
def test_list_shape(maya, desk, url, number, clock):
    """4: "Found N messages"; {"messages": […], total, limit, offset}; sender is `user` or `agent`"""
    first = say(maya, number, "Hello, I need help with my order")
    clock.shift(2)
    second = say(desk, number, "Hello! What is its number?", sender_type="agent")
    answer = maya.get(f"{url}?limit=50&offset=0").json()
    rows = [
        {
            "id": added["message_id"], "conversation_id": number, "content": added["content"], "content_type": "text",
            "sender": sender, "message_type": "text", "status": "sent", "tokens_used": None, "processing_time": None,
            "created_at": at, "attachments": [],
        }
        for added, sender, at in [
            (first, "user", "2027-03-01T12:00:00Z"), (second, "agent", "2027-03-01T12:00:02Z"),
        ]
    ]  # fmt: skip
    assert list(rows[0]) == ROW
    data = {"messages": rows, "total": 2, "limit": 50, "offset": 0}
    assert json.dumps(answer) == json.dumps({"success": True, "message": "Found 2 messages", "data": data})
    assert desk.get(url).json()["data"]["messages"] == rows


@pytest.mark.contract(
    "assistant: 4 | GET /chat/conversations/{id}/messages",
    "README: limit, page, offset: whole",
    "README: An offset or page past the end",
)
def test_order_and_pages(maya, url, number):
    """`order=asc` (default) or `desc`; default limit 50, at most 500"""
    for n in range(5):
        say(maya, number, f"Line {n}")
    lines = [f"Line {n}" for n in range(5)]
    for query, expected in [
        ("", lines), ("?order=asc", lines), ("?order=desc", lines[::-1]), ("?limit=2", lines[:2]),
        ("?limit=2&offset=3", lines[3:]), ("?limit=2&offset=1&order=desc", lines[::-1][1:3]), ("?offset=5", []),
        ("?offset=999999999999999999", []), ("?order=desc&offset=4&limit=9", lines[:1]), ("?order=&limit=", lines),
    ]:  # fmt: skip
        assert contents(maya, url, query) == expected, query
    assert maya.get(url).json()["data"]["limit"] == 50
    assert maya.get(f"{url}?limit=501").json()["data"]["limit"] == 500
    assert maya.get(f"{url}?offset=9").json()["data"] == {"messages": [], "total": 5, "limit": 50, "offset": 9}


@pytest.mark.contract("README: limit, page, offset: whole")
@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "offset=-1", "offset=x", "order=up", "order=ASC"])
def test_a_bad_parameter_is_named(maya, url, query):
    answer = maya.get(f"{url}?{query}")
    assert (answer.status_code, answer.json()["message"]) == (400, "Validation error")
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.contract("behaviour: The newest-10,000 rule")
@pytest.mark.parametrize("query", ["", "?limit=500"])
def test_the_newest_messages_are_served(maya, url, number, settings, query):
    """behaviour.md: a window; `total` is at most 10,000, `order=asc` begins at the window's oldest"""
    settings.MESSAGE_WINDOW = 10
    for n in range(13):
        say(maya, number, f"Line {n}")
    window = [f"Line {n}" for n in range(3, 13)]
    data = maya.get(f"{url}{query}").json()
    assert (data["message"], data["data"]["total"]) == ("Found 10 messages", 10)
    assert contents(maya, url, query) == window
    assert contents(maya, url, "?limit=4&offset=8") == window[8:]
    assert contents(maya, url, "?limit=4&offset=10") == []
    assert contents(maya, url, "?order=desc&limit=4&offset=8") == window[1::-1]
    assert contents(maya, url, "?order=desc&limit=4&offset=10") == []
    assert maya.get(f"/chat/conversations/{number}").json()["data"]["total_messages"] == 13  # counters know all


def test_far_pages_are_walked_from_the_nearer_end(maya, url, number, monkeypatch):
    monkeypatch.setattr("messaging.windows._FAR", 2)
    lines = [f"Line {n}" for n in range(9)]
    for line in lines:
        say(maya, number, line)
    for offset in range(10):
        assert contents(maya, url, f"?limit=3&offset={offset}") == lines[offset : offset + 3]
        assert contents(maya, url, f"?limit=3&offset={offset}&order=desc") == lines[::-1][offset : offset + 3]


@pytest.mark.contract(
    "assistant: 5 | POST /chat/conversations/{id}/messages",
    "README: A message's text is at most",
    "assistant: Errors: 400 validation",
)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"), ({"content": None}, "content"), ({"content": ""}, "content"), ({"content": " \n"}, "content"),
        ({"content": 5}, "content"), ({"content": ["x"]}, "content"), ({"content": {"text": "x"}}, "content"),
        ({"content": "x" * 65_537}, "content"), ({"content": "é" * 32_768 + "x"}, "content"),
        ({"content": "x", "sender_type": "bot"}, "sender_type"), ({"content": "x", "sender_type": 1}, "sender_type"),
        ({"content": "x", "sender_type": ["user"]}, "sender_type"),
        ({"content": "x", "content_type": 5}, "content_type"), ({"content": "x", "message_type": []}, "message_type"),
        ({"content": "x", "attachments": "f"}, "attachments"), ({"content": "x", "attachments": ["f"]}, "attachments"),
        ({"content": "x", "attachments": [5]}, "attachments.0"),
        ({"content": "x", "attachments": ["01a1fc56-3493-7458-9a71-76e45dec7141"]}, "attachments"),
        ({"content": "x", "attachments": {"0": "f"}}, "attachments"),
    ],
)  # fmt: skip
def test_add_refuses(maya, url, body, field):
    """400 validation; a message's text is at most 65,536 UTF-8 bytes"""
    before = everything()
    answer = maya.post(url, body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["success", "message", "errors"]
    assert answer.json()["message"] == "Validation error"
    assert list(answer.json()["errors"]) == [field]
    assert everything() == before


@pytest.mark.contract("README: A message's text is at most")
@pytest.mark.parametrize("text", ["x" * 65_536, "é" * 32_768, "😀" * 16_384, " indented\n\ttext ", "<b>&amp;</b>", "٣‮"])
def test_text_is_kept_as_it_is(maya, url, text):
    assert maya.post(url, {"content": text}).json()["data"]["content"] == text
    assert contents(maya, url) == [text]


@pytest.mark.contract("behaviour: Text-only doors make", "behaviour: Unknown body fields are ignored")
def test_text_only_doors_make_text(maya, url):
    """behaviour.md: text-only doors make messages of type `text`; unknown fields and nulls are nothing"""
    maya.post(url, {"content": "x", "content_type": "image", "message_type": "location", "id": 1, "attachments": None})
    row = Message.objects.get()
    assert (row.type, row.content, row.status) == ("text", {}, "sent")


@pytest.mark.contract("mapping: counters | —")
def test_counters_and_last_activity(maya, desk, number, clock):
    for text, api, sender in [("One", maya, "user"), ("Two", desk, "agent"), ("Three", maya, "user")]:
        clock.shift(60)
        say(api, number, text, sender_type=sender)
    data = maya.get(f"/chat/conversations/{number}").json()["data"]
    assert (data["total_messages"], data["last_message_at"]) == (3, "2027-03-01T12:03:00Z")
    row = Conversation.objects.get(pk=number)
    assert (row.last_seq, row.last_message_text, row.message_count) == (3, "Three", 3)
    assert list(Message.objects.order_by("id").values_list("seq", flat=True)) == [1, 2, 3]


def test_each_message_is_told_once(maya, number):
    say(maya, number, "One")
    say(maya, number, "Two")
    assert [kind for kind, _ in events_of(number)] == ["conversation.created", *["conversation.message.created"] * 2]


@pytest.mark.contract("behaviour: unread_count in assistant", "assistant: GET …/messages marks nothing read")
def test_unread_of_owner_and_staff(maya, desk, url, number):
    """behaviour.md: for the owner agents' messages not read; for staff customers' messages not read by any staff"""
    say(maya, number, "One")
    say(maya, number, "Two")
    assert (unread(maya, number), unread(desk, number)) == (0, 2)
    say(desk, number, "Three", sender_type="agent")
    assert (unread(maya, number), unread(desk, number)) == (1, 2)
    say(desk, number, "Not as the agent")
    assert (unread(maya, number), unread(desk, number)) == (1, 2)
    assert statuses(maya, url) == ["sent"] * 4  # GET marks nothing read


@pytest.mark.contract("assistant: GET …/messages marks nothing read")
def test_read_by_the_owner(maya, desk, url, number):
    """`POST …/read` does: those messages' `status` becomes `read`"""
    say(maya, number, "One")
    say(desk, number, "Two", sender_type="agent")
    answer = maya.post(f"/chat/conversations/{number}/read")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True,
            "message": "Conversation marked as read",
            "data": {"conversation_id": number, "unread_count": 0},
        },
    )
    assert (unread(maya, number), unread(desk, number)) == (0, 1)
    assert statuses(maya, url) == ["sent", "read"]
    before = events_of(number)
    assert before[-1][0] == "conversation.read"
    assert maya.post(f"/chat/conversations/{number}/read", {}).status_code == 200
    assert events_of(number) == before
    say(desk, number, "Three", sender_type="agent")
    assert unread(maya, number) == 1


@pytest.mark.contract("behaviour: unread_count in assistant")
def test_read_by_one_of_the_staff_is_read_by_all(maya, desk, url, number, acme, api):
    say(maya, number, "One")
    colleague = api(staff(acme, "supervisor"))
    assert unread(colleague, number) == 1
    desk.post(f"/chat/conversations/{number}/read")
    assert (unread(desk, number), unread(colleague, number)) == (0, 0)
    assert statuses(maya, url) == ["read"]


def test_read_by_another_participant(maya, omar, desk, url, number, acme):
    """Their own figure counts everybody else's messages; the owner's and the statuses stay."""
    take_part(number, acme.users[1].user)
    say(maya, number, "One")
    say(desk, number, "Two", sender_type="agent")
    say(omar, number, "Three")
    assert (unread(omar, number), unread(maya, number)) == (2, 1)
    assert omar.post(f"/chat/conversations/{number}/read").status_code == 200
    assert (unread(omar, number), unread(maya, number)) == (0, 1)
    assert statuses(maya, url) == ["sent"] * 3
    assert Participant.objects.get(user=acme.users[1].user).last_read_seq == 3


@pytest.mark.contract("behaviour: Private notes (staff to staff")
def test_private_notes_appear_nowhere(maya, desk, url, number, acme, clock):
    """behaviour.md: private notes appear in no dialect, count, unread figure, last message"""
    say(maya, number, "One")
    before = maya.get("/chat/conversations").content
    figures = maya.get(f"/chat/conversations/{number}").json()["data"]
    clock.shift(timedelta(hours=1))
    row = Conversation.objects.get(pk=number)
    add_note(conversation=row, sender=as_agent(acme.agents[0]), text="A known complainer")
    assert contents(maya, url) == contents(desk, url) == ["One"]
    assert maya.get("/chat/conversations").content == before
    assert maya.get(f"/chat/conversations/{number}").json()["data"] | {"updated_at": 0} == figures | {"updated_at": 0}
    assert (unread(maya, number), unread(desk, number)) == (0, 1)
    say(desk, number, "Two", sender_type="agent")
    assert contents(maya, url) == ["One", "Two"]
    assert maya.get(url).json()["data"]["total"] == 2
    assert b"complainer" not in maya.get(f"{url}?order=desc").content


PLAIN = [
    ("image", "", {"filename": "shoe.png"}, "[image] shoe.png"), ("image", "My shoe", {"filename": "s"}, "My shoe"),
    ("video", "", {"filename": "a.mp4"}, "[video] a.mp4"), ("audio", "", {"filename": "a.mp3"}, "[audio] a.mp3"),
    ("file", "", {"filename": "bill.pdf"}, "[file] bill.pdf"), ("location", "", {"name": "Depot"}, "[location] Depot"),
    ("location", "", {"latitude": -6.2, "longitude": 106.8}, "[location] -6.2, 106.8"),
    ("contact", "", {"formatted_name": "Budi S."}, "[contact] Budi S."),
]  # fmt: skip


@pytest.mark.contract(
    "behaviour: image, video, audio, file | the caption",
    "behaviour: location | [location]",
    "behaviour: contact | [contact]",
)
@pytest.mark.parametrize(("type_", "text", "content", "line"), PLAIN)
def test_messages_of_other_types(maya, url, number, acme, type_, text, content, line):
    """behaviour.md, Messages: the caption, else `[image] name`, …; `content_type` = `message_type`"""
    row = Conversation.objects.get(pk=number)
    bot = as_agent(acme.agents[1])
    send_message(conversation=row, sender=bot, by=system_caller(acme.client), type=type_, text=text, content=content)
    [message] = maya.get(url).json()["data"]["messages"]
    assert (message["content"], message["content_type"], message["message_type"]) == (line, type_, type_)
    assert message["sender"] == "agent"
    assert Conversation.objects.get().last_message_text == line
