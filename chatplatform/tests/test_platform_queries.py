"""How many statements each call of `platform` runs, whatever the number of rows; exact figures under many writers."""

from collections import Counter
from typing import Any

import pytest

from chatplatform.tests.store import statements, take_part
from clients import actions
from conversations.models import Conversation, Event, Participant
from messaging.tests.recount import assert_whole
from messaging.tests.test_concurrency import Caller, assert_prompt, at_once

URL = "/api/v1/chat/conversations"
TABLES = {"SELECT", "INSERT", "UPDATE", "DELETE"}
READS = {
    "": 2, "?archived=all&taggable_id=1": 2, "?per_page=1&page=2": 3, "/{uuid}": 2, "/{uuid}/messages": 2,
    "/{uuid}/messages?per_page=2&page=2": 2,
}  # fmt: skip
WRITES = {"create": 5, "send": 6, "archive": 4, "read": 7}


def make(api: Any, user: Any) -> str:
    answer = api.post(URL, {"participant_uuid": str(user.uuid), "taggable_id": 1})
    assert answer.status_code == 201, answer.content
    uuid: str = answer.json()["data"]["uuid"]
    return uuid


def ran(call: Any) -> list[str]:
    return [sql for sql in statements(call) if sql.split()[0] in TABLES]


@pytest.mark.parametrize("suffix", READS)
def test_reads(john, mary, acme, suffix):
    other = acme.users[1].user
    uuids = [make(john, other) for _ in range(3)]
    path = f"{URL}{suffix.format(uuid=uuids[0])}"
    assert john.get(path).status_code == 200  # whoever calls is known from here on
    few = len(ran(lambda: john.get(path)))
    for number in range(5):
        uuid = make(john, other)
        for api in (john, mary):
            assert api.post(f"{URL}/{uuids[0]}/messages", {"text": f"Line {number}"}).status_code == 201
        guest = actions.create_user(client=acme.client, name="Guest", email=f"guest{number}@example.com").user
        take_part(Conversation.objects.get(uuid=uuid).pk, guest)
        take_part(Conversation.objects.get(uuid=uuids[0]).pk, guest)
    many = ran(lambda: john.get(path))
    assert (few, len(many)) == (READS[suffix],) * 2, many


@pytest.mark.parametrize("name", WRITES)
def test_writes(john, mary, acme, name):
    other = acme.users[1].user
    path = f"{URL}/{make(john, other)}"
    mary.post(f"{path}/messages", {"text": "Hello"})
    calls = {
        "create": lambda: john.post(URL, {"participant_uuid": str(other.uuid)}),
        "send": lambda: john.post(f"{path}/messages", {"text": "Hello"}),
        "archive": lambda: john.patch(path, {"is_archived": True}),
        "read": lambda: john.post(f"{path}/read"),
    }
    found = ran(calls[name])
    assert len(found) == WRITES[name], found


def test_twenty_writers_and_readers_of_one_pair(live_server_url: str, acme: Any, record_property: Any) -> None:
    """the other participants' `unread_count` grows by one, exactly, whoever reads meanwhile"""
    john, mary = (new.user for new in acme.users)
    callers = []
    for number in range(20):
        callers.append(Caller(live_server_url, mary if number % 2 else john))
        callers[-1].session.headers["X-PUBLIC-KEY"] = acme.public_key.key
    made = callers[0]("POST", URL, {"participant_uuid": str(mary.uuid)})
    path = f"{URL}/{made.json()['data']['uuid']}"

    def work(number: int) -> Counter[tuple[str, int]]:
        answers: Counter[tuple[str, int]] = Counter()
        for turn in range(20):
            if number >= 18 and turn < 18:  # the last message of each side's reader is unread by the other
                answer = callers[number]("POST", f"{path}/read")
                assert answer.json()["data"]["unread_count"] == 0
                answers["read", answer.status_code] += 1
            else:
                answer = callers[number]("POST", f"{path}/messages", {"text": f"{number}/{turn}"})
                answers["send", answer.status_code] += 1
        return answers

    assert sum(at_once(work, 20), Counter()) == {("read", 200): 36, ("send", 201): 364}
    row = Conversation.objects.get()
    assert (row.message_count, row.last_seq) == (364, 364)
    assert_whole()
    shown = callers[0]("GET", path).json()["data"]["participants"]
    kept = Participant.objects.filter(conversation=row).order_by("id").values_list("unread_count", flat=True)
    assert [person["pivot"]["unread_count"] for person in shown] == list(kept)
    assert [callers[n]("POST", f"{path}/read").status_code for n in (0, 1)] == [200, 200]
    assert set(Participant.objects.filter(conversation=row).values_list("unread_count", flat=True)) == {0}
    assert Event.objects.filter(conversation=row, kind="conversation.message.created").count() == 364
    assert_prompt(callers, record_property)
