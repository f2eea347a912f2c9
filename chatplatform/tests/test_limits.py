"""The limits of the contracts, exact: participants under a race, the bytes of a text, the newest 10,000 messages."""

from collections import Counter
from typing import Any

import orjson
import pytest
import requests

from chatplatform.tests.store import everything, new_conversation
from chatplatform.tests.workspace import robot_of
from clients.models import Agent, Contact
from conversations.models import Conversation, Event, Participant
from messaging.models import MAX_TEXT_BYTES, Message
from messaging.tests.recount import assert_whole
from messaging.tests.test_concurrency import at_once

FULL, BEFORE, ADDS = 100, 95, 40


@pytest.mark.contract("workspace: At most 100 in a conversation", "workspace: Participant Limit Exceeded")
def test_forty_adds_at_ninety_five_end_at_a_hundred(live_server_url: str, acme: Any) -> None:
    """also when many add at once; the rest are 2004, and change nothing"""
    Contact.objects.bulk_create(
        Contact(client=acme.client, contact_id=f"c{n}", name=f"Contact {n}") for n in range(BEFORE + ADDS)
    )
    Agent.objects.bulk_create(
        Agent(client=acme.client, agent_id=f"a{n}", name=f"Agent {n}", kind="human") for n in range(ADDS)
    )
    headers = {"Authorization": f"Bearer {acme.api_token.secret}"}

    def call(path: str, body: Any) -> requests.Response:
        return requests.post(f"{live_server_url}/v1/conversations{path}", json=body, headers=headers, timeout=60)

    first = [{"contact_id": f"c{n}"} for n in range(BEFORE)]
    made = call("", {"participants": first, "channel": "website"})
    assert made.status_code == 201
    path = f"/{made.json()['id']}/participants"

    def add(number: int) -> tuple[int, str | None]:
        person = {"contact_id": f"c{BEFORE + number}"} if number % 2 else {"agent_id": f"a{number}"}
        answer = call(path, person)
        return answer.status_code, answer.json().get("error", {}).get("code")

    assert Counter(at_once(add, ADDS)) == {(201, None): FULL - BEFORE, (422, "2004"): ADDS - (FULL - BEFORE)}

    row = Conversation.objects.get()
    assert row.participant_count == Participant.objects.filter(conversation=row, removed_at=None).count() == FULL
    assert Participant.objects.count() == FULL
    told = Counter(Event.objects.values_list("kind", flat=True))
    assert told.pop("conversation.participant.added") == FULL - BEFORE
    assert told.pop("conversation.created") == 1
    assert set(told) <= {"conversation.updated"}  # the first agent who joined is in charge
    assert_whole()


@pytest.mark.contract("workspace: At most 100 in a conversation")
def test_a_hundred_may_begin_and_one_more_not(acme: Any) -> None:
    robot = robot_of(acme)
    Contact.objects.bulk_create(Contact(client=acme.client, contact_id=f"c{n}") for n in range(FULL + 1))
    people = [{"contact_id": f"c{n}"} for n in range(FULL + 1)]
    before = everything()
    answer = robot.post("/v1/conversations", {"participants": people, "channel": "website"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "2004")
    assert everything() == before
    answer = robot.post("/v1/conversations", {"participants": people[:FULL], "channel": "website"})
    assert len(answer.json()["participants"]) == FULL


#: Of 1, 2, 3 and 4 bytes; what is left over is filled with letters.
LETTERS = ["x", "é", "€", "😀"]


def exactly(size: int, letter: str) -> str:
    width = len(letter.encode())
    return letter * (size // width) + "x" * (size % width)


def through(dialect: str, acme: Any, api: Any, platform: Any) -> Any:
    """`send(text)` through a dialect, to a conversation of its own: the answer's status."""
    maya, omar = (new.user for new in acme.users)
    if dialect == "assistant":
        caller = api(maya)
        path = f"/chat/conversations/{new_conversation(caller)}/messages"
        return lambda text: caller.post(path, {"content": text})
    if dialect == "platform":
        john = platform(maya)
        made = john.post("/api/v1/chat/conversations", {"participant_uuid": str(omar.uuid)}).json()["data"]
        return lambda text: john.post(f"/api/v1/chat/conversations/{made['uuid']}/messages", {"text": text})
    robot, me = robot_of(acme), {"contact_id": "contact_1"}
    made = robot.post("/v1/conversations", {"participants": [me], "channel": "website"}).json()
    kind, field = dialect.split(".")[1:]
    more = {} if kind == "text" else {"url": "https://example.com/a"}
    return lambda text: robot.post(
        f"/v1/conversations/{made['id']}/messages", {"type": kind, kind: {field: text, **more}, "sender": me}
    )


REFUSED = {"assistant": 400, "platform": 422, "workspace.text.body": 413, "workspace.image.caption": 413}


@pytest.mark.contract(
    "README: JSON bodies are UTF-8, at most 1 MiB", "workspace: Text over 65,536 UTF-8 bytes: 2005",
    "workspace: 2005 | 413",
)  # fmt: skip
@pytest.mark.parametrize("letter", LETTERS, ids=["1", "2", "3", "4"])
@pytest.mark.parametrize("dialect", REFUSED)
def test_a_text_has_65536_bytes_and_not_one_more(acme: Any, api: Any, platform: Any, dialect: str, letter: str) -> None:
    send = through(dialect, acme, api, platform)
    before = everything()
    refused = send(exactly(MAX_TEXT_BYTES + 1, letter))
    assert refused.status_code == REFUSED[dialect], refused.content
    assert everything() == before
    text = exactly(MAX_TEXT_BYTES, letter)
    assert send(text).status_code in (200, 201)
    [stored] = Message.objects.all()
    assert (stored.text, len(stored.text.encode())) == (text, MAX_TEXT_BYTES)


@pytest.mark.contract("workspace: Text over 65,536 UTF-8 bytes: 2005", "workspace: 2005 | 413")
def test_a_card_has_65536_bytes_and_not_one_more(acme: Any) -> None:
    robot, me = robot_of(acme), {"contact_id": "contact_1"}
    made = robot.post("/v1/conversations", {"participants": [me], "channel": "website"}).json()

    card: dict[str, Any] = {
        "formatted_name": "",
        "phones": [{"phone": "😀" * 64, "type": "😀" * 50}] * 100,
        "emails": [],
    }
    while MAX_TEXT_BYTES - len(orjson.dumps(card)) > 600:
        card["emails"].append({"email": "x" * 243 + "@example.com", "type": "😀" * 50})
    room = MAX_TEXT_BYTES - len(orjson.dumps(card))

    def send(name: str) -> tuple[Any, int]:
        whole = {**card, "formatted_name": name}
        body = {"type": "contact", "contact": whole, "sender": me}
        return robot.post(f"/v1/conversations/{made['id']}/messages", body), len(orjson.dumps(whole))

    before = everything()
    answer, bytes_ = send(exactly(room + 1, "😀"))
    assert (bytes_, answer.status_code, answer.json()["error"]["code"]) == (MAX_TEXT_BYTES + 1, 413, "2005")
    assert everything() == before
    answer, bytes_ = send(exactly(room, "😀"))
    assert (bytes_, answer.status_code) == (MAX_TEXT_BYTES, 201)


@pytest.mark.contract("behaviour: The newest-10,000 rule", "workspace: The API serves a conversation's newest 10,000")
def test_the_newest_ten_thousand_at_every_door(acme: Any, api: Any, platform: Any) -> None:
    maya, omar = (new.user for new in acme.users)
    john = platform(maya)
    pair = john.post("/api/v1/chat/conversations", {"participant_uuid": str(omar.uuid)}).json()["data"]
    row = Conversation.objects.get(uuid=pair["uuid"])
    count = 10_007
    Message.objects.bulk_create(
        (
            Message(client=acme.client, conversation=row, seq=n, text=str(n), sender_user=omar, sender_name="Omar")
            for n in range(1, count + 1)
        ),
        batch_size=1000,
    )
    Conversation.objects.filter(pk=row.pk).update(
        last_seq=count, message_count=count, last_message_at=row.created_at, last_message_seq=count
    )
    oldest = [str(n) for n in range(8, 11)]  # 1 to 7 are beyond the window
    newest = [str(n) for n in range(count, count - 3, -1)]

    robot = robot_of(acme)
    path = f"/v1/conversations/conv_{row.uuid.hex}/messages"
    for query, expected in (("order=asc&limit=3", oldest), ("limit=3", newest), ("offset=10000", [])):
        shown = robot.get(f"{path}?{query}").json()
        assert [message["text"]["body"] for message in shown["messages"]] == expected
        assert shown["pagination"]["total"] == 10_000
    beyond = Message.objects.get(seq=1)
    assert robot.get(f"{path}/msg_{beyond.uuid.hex}").json()["text"] == {"body": "1"}

    shown = api(maya).get(f"/chat/conversations/{row.pk}/messages?limit=3").json()["data"]
    assert ([message["content"] for message in shown["messages"]], shown["total"]) == (oldest, 10_000)

    shown = john.get(f"/api/v1/chat/conversations/{row.uuid}/messages?limit=3").json()
    assert shown["meta"]["total"] == 10_000
    last = john.get(f"/api/v1/chat/conversations/{row.uuid}/messages?page=100&per_page=100").json()["data"]
    assert last[-1]["text"] == "8"
