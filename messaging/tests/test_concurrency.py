"""Many callers at once, through HTTP, against the server's own processes: every figure stays exact."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import requests
from django.conf import settings
from django.db import connection

from clients.credentials import issue_tokens
from clients.models import Contact, User
from conversations.models import Conversation, Event, Participant
from messaging.models import Message

from .recount import assert_whole

MESSAGES = [
    "Hello, my parcel has not arrived yet.", "¿Me puede dar el número de pedido?", "Pesanan saya belum sampai.",
    "It is #48213, ordered on Monday.", "Thank you, I am looking into it 🙏", "Gracias, quedo a la espera.",
]  # fmt: skip


class Caller:
    """One client program: its own connection, its credential, the time of its slowest answer."""

    def __init__(self, url: str, user: User | None = None) -> None:
        self.url, self.session, self.slowest = url, requests.Session(), 0.0
        if user is not None:
            self.session.headers["Authorization"] = f"Bearer {issue_tokens(user).access}"

    def __call__(self, method: str, path: str, body: Any = None) -> requests.Response:
        began = time.monotonic()
        answer = self.session.request(method, f"{self.url}{path}", json=body, timeout=60)
        self.slowest = max(self.slowest, time.monotonic() - began)
        return answer


def at_once(work: Callable[[int], Any], count: int) -> list[Any]:
    """`work(0)` … `work(count - 1)`, each in a thread, all beginning at the same moment."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def new_conversation(caller: Caller, title: str) -> int:
    identifier: int = caller("POST", "/chat/conversations", {"title": title}).json()["data"]["conversation_id"]
    return identifier


def assert_prompt(callers: Iterable[Caller], record_property: Any) -> None:
    """SQLite's own waiting lets some wait for 20 s; with turns nobody waits for 3."""
    slowest = max(caller.slowest for caller in callers)
    record_property("slowest_answer_seconds", round(slowest, 3))
    print(f"slowest answer on {connection.vendor}: {slowest:.3f} s")  # noqa: T201
    if connection.vendor == "sqlite":
        assert slowest < 3


@pytest.mark.contract("mapping: Counters are kept in the same transaction")
def test_twenty_writers_of_one_conversation(live_server_url: str, acme: Any, record_property: Any) -> None:
    owner, staff = acme.users[0].user, acme.staff.user
    callers = [Caller(live_server_url, staff if number % 2 else owner) for number in range(20)]
    conversation = new_conversation(callers[0], "Where is my parcel?")
    path = f"/chat/conversations/{conversation}/messages"

    def write(number: int) -> list[tuple[int, int, str]]:
        sent = []
        for turn in range(100):
            text = f"{number}/{turn} {MESSAGES[turn % len(MESSAGES)]}"
            sender = "agent" if number % 2 else "user"
            answer = callers[number]("POST", path, {"content": text, "sender_type": sender})
            sent.append((answer.status_code, answer.json()["data"]["message_id"], text))
        return sent

    began = time.monotonic()
    sent = [message for messages in at_once(write, 20) for message in messages]
    record_property("messages_per_second", round(2000 / (time.monotonic() - began)))

    assert Counter(status for status, _, _ in sent) == {200: 2000}
    row = Conversation.objects.get(pk=conversation)
    assert (row.last_seq, row.message_count, row.owner_unread, row.staff_unread) == (2000, 2000, 1000, 1000)
    stored = Message.objects.filter(conversation=row).order_by("seq")
    assert list(stored.values_list("seq", flat=True)) == list(range(1, 2001))
    assert dict(stored.values_list("pk", "text")) == {pk: text for _, pk, text in sent}
    assert Event.objects.filter(conversation=row, kind="conversation.message.created").count() == 2000
    assert Participant.objects.get(conversation=row, user=owner).unread_count == 1000
    assert_whole()
    assert_prompt(callers, record_property)


@pytest.mark.contract("mapping: Counters are kept in the same transaction")
def test_sending_reading_changing_and_deleting_at_once(live_server_url: str, acme: Any, record_property: Any) -> None:
    owners = [acme.users[0].user, acme.users[1].user]
    conversations = [new_conversation(Caller(live_server_url, owners[n % 2]), f"Order {n}") for n in range(6)]
    owned = [[c for n, c in enumerate(conversations) if n % 2 == which] for which in (0, 1)]
    doomed = conversations[-1]
    answers: dict[str, Counter[int]] = defaultdict(Counter)
    acknowledged: Counter[int] = Counter()
    users = [acme.staff.user if number >= 8 else owners[number % 2] for number in range(12)]
    callers = [Caller(live_server_url, user) for user in users]
    guard = threading.Lock()

    def note(what: str, answer: requests.Response, conversation: int) -> None:
        with guard:
            answers[what][answer.status_code] += 1
            if what == "send" and answer.status_code == 200:
                acknowledged[conversation] += 1

    def work(number: int) -> None:
        is_staff, caller = number >= 8, callers[number]
        mine = conversations if is_staff else owned[number % 2]
        for turn in range(40):
            conversation = mine[(turn + number) % len(mine)]
            path = f"/chat/conversations/{conversation}"
            match (turn + number) % 5:
                case 0:
                    note("read", caller("POST", f"{path}/read"), conversation)
                case 1:
                    changes = {"title": f"Order {number}.{turn}", "is_pinned": turn % 2 == 0}
                    note("change", caller("PUT", path, changes), conversation)
                case 2 if is_staff:
                    status = ("resolved", "waiting_for_customer", "active")[turn % 3]
                    note("status", caller("PUT", path, {"status": status}), conversation)
                case _:
                    body = {"content": MESSAGES[turn % 6], "sender_type": "agent" if is_staff else "user"}
                    note("send", caller("POST", f"{path}/messages", body), conversation)
            if number == 1 and turn == 20:
                note("delete", caller("DELETE", f"/chat/conversations/{doomed}"), doomed)

    at_once(work, 12)

    assert answers["delete"] == {200: 1}
    assert set(answers["status"]) <= {200, 404, 409}  # 409: the state machine has no such change
    for what in ("send", "read", "change"):
        assert set(answers[what]) <= {200, 404}, answers
    assert sum(sum(counts.values()) for counts in answers.values()) == 12 * 40 + 1
    stored = Counter(Message.objects.values_list("conversation_id", flat=True))
    assert stored == acknowledged
    assert Conversation.objects.filter(deleted_at=None).count() == 5
    assert not Message.objects.filter(conversation=doomed, created_at__gt=_deletion(doomed)).exists()
    assert_whole()
    assert_prompt(callers, record_property)


def _deletion(conversation: int) -> Any:
    return Conversation.objects.values_list("deleted_at", flat=True).get(pk=conversation)


@pytest.mark.contract("whatsapp: A 408 says", "whatsapp: number_client also attaches")
def test_fifty_equal_chats_at_once_are_one(live_server_url: str, acme: Any) -> None:
    body = {
        "session_name": "ses_acme", "name": "Pedido de Lucía", "number_client": 34600111222, "category": "sales",
        "chat_id": "34600111222@c.us",
    }  # fmt: skip
    answers = at_once(lambda _: Caller(live_server_url)("POST", "/api/chat/create", body), 50)
    assert Counter(answer.status_code for answer in answers) == {200: 50}
    assert len({answer.text for answer in answers}) == 1
    row = Conversation.objects.get()
    assert answers[0].json()["record"]["id"] == str(row.uuid)
    contact = Contact.objects.get(phone="34600111222")
    assert [p.contact for p in Participant.objects.all()] == [contact]
    assert list(Event.objects.values_list("kind", flat=True)) == ["conversation.created"]


@pytest.mark.contract("whatsapp: number_client also attaches")
def test_one_number_in_many_new_chats_is_one_contact(live_server_url: str, acme: Any) -> None:
    def create(number: int) -> int:
        body = {"session_name": "ses_acme", "number_client": "+628123456789", "chat_id": f"chat-{number}"}
        return Caller(live_server_url)("POST", "/api/chat/create", body).status_code

    assert Counter(at_once(create, 20)) == {200: 20}
    assert Contact.objects.filter(phone="628123456789").count() == 1
    assert Conversation.objects.count() == Participant.objects.count() == 20


@pytest.mark.contract("whatsapp: Chat ID already exists")
def test_chats_of_one_id_with_other_values_make_one_and_refuse_the_rest(live_server_url: str, acme: Any) -> None:
    def create(number: int) -> tuple[int, str]:
        body = {"session_name": "ses_acme", "chat_id": "order-7", "name": f"Runner {number % 2}"}
        answer = Caller(live_server_url)("POST", "/api/chat/create", body)
        return answer.status_code, answer.json().get("error", answer.json().get("record", {}).get("name"))

    answers = Counter(at_once(create, 20))
    winner = Conversation.objects.get().title
    assert answers == {(200, winner): 10, (400, "Chat ID already exists"): 10}


@pytest.mark.contract("accounts: Of concurrent uses of one refresh token")
def test_of_fifty_uses_of_one_refresh_token_one_wins(live_server_url: str, acme: Any) -> None:
    user = acme.users[0].user
    refresh = issue_tokens(user).refresh

    def use(_: int) -> requests.Response:
        return Caller(live_server_url)("POST", "/api/auth/token/refresh", {"refresh": refresh})

    answers = at_once(use, 50)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 49}
    refused = {answer.text for answer in answers if answer.status_code == 401}
    assert refused == {'{"detail":"Token is invalid or expired"}'}
    [pair] = [answer.json() for answer in answers if answer.status_code == 200]
    me = requests.get(
        f"{live_server_url}/api/auth/me", headers={"Authorization": f"Bearer {pair['access']}"}, timeout=10
    )
    assert (me.status_code, me.json()["id"]) == (200, user.pk)  # so shortly after, the family lives on


@pytest.mark.contract("accounts: Of concurrent uses of one refresh token", "rooms: The cookies renew themselves")
def test_of_sixty_uses_at_every_door_one_wins(live_server_url: str, acme: Any) -> None:
    """A token renewed by its own call, by that of the cookies, and by calls of `rooms` on the way."""
    user = acme.users[0].user
    refresh = issue_tokens(user).refresh
    good = jwt.decode(issue_tokens(user).access, settings.JWT_SIGNING_KEY, ["HS256"])
    expired = jwt.encode({**good, "exp": 1}, settings.JWT_SIGNING_KEY, "HS256")
    cookies = {"chat_access": expired, "chat_refresh": refresh}
    rooms = f"{live_server_url}/api/conversation?page=1&limit=5"

    def use(number: int) -> requests.Response:
        if number % 3 == 0:
            return requests.post(f"{live_server_url}/api/auth/token/refresh", json={"refresh": refresh}, timeout=60)
        if number % 3 == 1:
            return requests.post(f"{live_server_url}/api/auth/refresh", cookies=cookies, timeout=60)
        return requests.get(rooms, cookies=cookies, timeout=60)

    answers = at_once(use, 60)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 59}
    [won] = [answer for answer in answers if answer.status_code == 200]
    assert all(not answer.cookies for answer in answers if answer is not won)
    access = won.cookies.get("chat_access") or won.json()["access"]
    assert requests.get(rooms, cookies={"chat_access": access}, timeout=60).status_code == 200


@pytest.mark.long
def test_twenty_writers_over_fifty_conversations(live_server_url: str, acme: Any, record_property: Any) -> None:
    owner = Caller(live_server_url, acme.users[0].user)
    conversations = [new_conversation(owner, f"Ticket {number}") for number in range(50)]
    callers = [Caller(live_server_url, acme.users[0].user) for _ in range(20)]

    def write(number: int) -> Counter[int]:
        statuses: Counter[int] = Counter()
        for turn in range(500):
            path = f"/chat/conversations/{conversations[(number * 7 + turn) % 50]}"
            statuses[callers[number]("POST", f"{path}/messages", {"content": MESSAGES[turn % 6]}).status_code] += 1
            if turn % 25 == 0:
                statuses[callers[number]("POST", f"{path}/read").status_code] += 1
        return statuses

    assert sum(at_once(write, 20), Counter()) == {200: 20 * 520}
    assert Message.objects.count() == 10_000
    assert_whole()
    assert_prompt(callers, record_property)
