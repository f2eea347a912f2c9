"""How many statements each call of `workspace` runs, whatever the number of rows; what happens at once."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
import requests

from chatplatform.tests.store import statements
from chatplatform.tests.workspace import AGENT, CUSTOMER, begin, ok, path_of, row_of, say
from clients.models import Contact
from conversations.models import Conversation, Event, Participant, Tag
from messaging.models import Message
from messaging.tests.recount import assert_whole
from messaging.tests.test_concurrency import at_once

LIST = "/v1/conversations"
TABLES = {"SELECT", "INSERT", "UPDATE", "DELETE"}
READS = {
    "": 1, "?status=active&channel=whatsapp&subject=order": 1, "?tag=soporte": 2, "?limit=1": 2,
    "?contact_id=contact_1": 2, "?contact_id=contact_1&agent_id=agent_1&order=asc": 3, "{one}": 3, "{one}/metrics": 2,
    "{one}/participants": 2, "{one}/participants?limit=1": 3, "{one}/messages": 2, "{one}/messages?before={message}": 3,
    "{one}/messages?after={message}&before={message}": 3, "{one}/messages/{message}": 2,
}  # fmt: skip
WRITES = {
    "create": 7, "create with tags": 12, "send": 8, "send an image": 9, "change": 5, "change all": 14, "delete": 3,
    "add": 7, "change a participant": 8, "remove": 7, "change a message": 8, "delete a message": 13,
}  # fmt: skip
PHOTO = {"type": "image", "image": {"url": "https://cdn.example.com/a.jpg", "caption": "A"}, "sender": CUSTOMER}


def ran(call: Any) -> list[str]:
    """The statements of a call that do what it is for: its credential's look-up left out."""
    return [sql for sql in statements(call) if sql.split()[0] in TABLES and "clients_apitoken" not in sql]


@pytest.mark.parametrize("path", READS)
def test_reads(acme, robot, path):
    made = [begin(robot, subject=f"Order {n}", tags=["soporte"]) for n in range(2)]
    message = say(robot, made[0], "Hello")["id"]
    path = LIST + path.format(one=f"/{made[0]['id']}", message=message)

    def count() -> list[str]:
        return ran(lambda: ok(robot.get(path)))

    few = len(count())
    for n in range(5):
        say(robot, made[0], f"Line {n}", AGENT)
        begin(robot, subject=f"Another order {n}", tags=["soporte", f"tag {n}"])
        Contact.objects.create(client=acme.client, contact_id=f"c{n}", name="Guest")
        ok(robot.post(path_of(made[0], "participants"), {"contact_id": f"c{n}"}), 201)
    ok(robot.patch(path_of(made[0]), {"tags": ["soporte", "a", "b", "c"]}))
    many = count()
    assert (few, len(many)) == (READS[path_key(path, made[0], message)],) * 2, many


def path_key(path: str, made: Any, message: str) -> str:
    return path.removeprefix(LIST).replace(f"/{made['id']}", "{one}").replace(message, "{message}")


@pytest.mark.parametrize("name", WRITES)
def test_writes(robot, name):
    made = begin(robot, subject="Order 7", tags=["soporte"])
    path, person = path_of(made), path_of(made, "participants", made["participants"][0]["id"])
    message = path_of(made, "messages", say(robot, made, "Hello")["id"])
    new = {"participants": [CUSTOMER, AGENT], "channel": "whatsapp"}
    text = {"type": "text", "text": {"body": "Hello"}, "sender": CUSTOMER}
    everything = {"subject": "x", "status": "escalated", "tags": ["a", "b", "soporte"], "metadata": {"a": 1}}
    calls = {
        "create": lambda: robot.post(LIST, new),
        "create with tags": lambda: robot.post(LIST, {**new, "tags": [f"tag {n}" for n in range(30)]}),
        "send": lambda: robot.post(f"{path}/messages", text),
        "send an image": lambda: robot.post(f"{path}/messages", PHOTO),
        "change": lambda: robot.patch(path, {"subject": "Order 8"}),
        "change all": lambda: robot.patch(path, everything),
        "delete": lambda: robot.delete(path),
        "add": lambda: robot.post(f"{path}/participants", {"agent_id": "assistant"}),
        "change a participant": lambda: robot.patch(person, {"role": "manager"}),
        "remove": lambda: robot.delete(person),
        "change a message": lambda: robot.patch(message, {"metadata": {"edited": True}}),
        "delete a message": lambda: robot.delete(message),
    }
    found = ran(lambda: ok(calls[name](), 204 if name.startswith(("delete", "remove")) else
                           200 if name.startswith("change") else 201))  # fmt: skip
    assert len(found) == WRITES[name], "\n".join(found)


# --- at once, against the server's own processes ---


class Server:
    def __init__(self, url: str, secret: str) -> None:
        self.url, self.headers = url, {"Authorization": f"Bearer {secret}"}

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, headers=self.headers, timeout=60)


@pytest.mark.contract("workspace: At most 100 in a conversation", "README: A conversation made through one dialect")
def test_at_most_a_hundred_join_however_many_come_at_once(live_server_url, acme):
    server = Server(live_server_url, acme.api_token.secret)
    people = Contact.objects.bulk_create(
        Contact(client=acme.client, contact_id=f"c{n}", name=f"Contact {n}") for n in range(120)
    )
    made = server.post(LIST, {"participants": [{"contact_id": f"c{n}"} for n in range(95)], "channel": "x"}).json()
    path = f"{path_of(made)}/participants"
    answers = at_once(lambda n: server.post(path, {"contact_id": f"c{95 + n}"}), 24)
    assert Counter(answer.status_code for answer in answers) == {201: 5, 422: 19}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 422} == {"2004"}
    row = row_of(made)
    assert (row.participant_count, Participant.objects.filter(conversation=row).count(), len(people)) == (100, 100, 120)
    assert Event.objects.filter(conversation=row, kind="conversation.participant.added").count() == 5
    assert_whole()


@pytest.mark.contract("workspace: The same person twice is 2002")
def test_the_same_person_joins_once_however_often_at_once(live_server_url, acme):
    server = Server(live_server_url, acme.api_token.secret)
    made = server.post(LIST, {"participants": [CUSTOMER], "channel": "x"}).json()
    answers = at_once(lambda n: server.post(f"{path_of(made)}/participants", AGENT), 8)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 7}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 422} == {"2002"}
    assert row_of(made).participant_count == 2


def test_the_same_new_tags_from_many_at_once(live_server_url, acme):
    server = Server(live_server_url, acme.api_token.secret)
    names = [f"tag {n}" for n in range(20)]

    def make(number: int) -> requests.Response:
        tags = names if number % 2 else names[::-1]
        return server.post(LIST, {"participants": [CUSTOMER], "channel": "x", "tags": tags})

    answers = at_once(make, 12)
    assert Counter(answer.status_code for answer in answers) == {201: 12}
    assert [answer.json()["tags"] for answer in answers] == [names if n % 2 else names[::-1] for n in range(12)]
    assert (Tag.objects.count(), Conversation.objects.count()) == (20, 12)


def test_messages_of_many_at_once_are_counted(live_server_url, acme):
    server = Server(live_server_url, acme.api_token.secret)
    made = server.post(LIST, {"participants": [CUSTOMER, AGENT], "channel": "x"}).json()

    def write(number: int) -> list[int]:
        body = {**PHOTO, "sender": AGENT if number % 2 else CUSTOMER}
        return [server.post(f"{path_of(made)}/messages", body).status_code for _ in range(5)]

    assert Counter(status for statuses in at_once(write, 10) for status in statuses) == {201: 50}
    row = row_of(made)
    assert (row.message_count, row.last_seq, row.staff_unread, row.owner_unread) == (50, 50, 25, 25)
    assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 51))
    assert_whole()


def test_changes_of_many_at_once_all_stay(live_server_url, acme):
    server = Server(live_server_url, acme.api_token.secret)
    made = server.post(LIST, {"participants": [CUSTOMER], "channel": "x", "metadata": {"old": True}}).json()

    def change(number: int) -> int:
        body = {"metadata": {f"key {number}": number, "old": None}, "tags": [f"tag {number % 3}", "all"]}
        url = f"{live_server_url}{path_of(made)}"
        return requests.patch(url, json=body, headers=server.headers, timeout=60).status_code

    assert at_once(change, 12) == [200] * 12
    row = row_of(made)
    assert row.metadata == {f"key {n}": n for n in range(12)}
    told = [
        e.data["changes"] for e in Event.objects.filter(conversation=row, kind="conversation.updated").order_by("id")
    ]
    assert len(told) == 12
    for one, next_one in pairwise(told):  # each goes on from what the one before it left
        assert next_one["metadata"][0] == one["metadata"][1]
    assert row.metadata == told[-1]["metadata"][1]
