"""How many statements each call runs, whatever the number of rows (performance: no N+1)."""

import pytest
from django.db import connection

from chatplatform.tests.store import new_conversation, say, statements
from clients.credentials import known

EXPECTED = {
    "list": 1, "list filtered": 1, "list second page": 2, "details": 1, "messages": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("who", ["maya", "desk"])
def test_reads(request, maya, who, name):
    caller = request.getfixturevalue(who)
    numbers = [new_conversation(maya, f"Order {n}") for n in range(2)]
    path = {
        "list": "", "list filtered": "?status=active&search=order", "list second page": "?limit=1&offset=1",
        "details": f"/{numbers[0]}", "messages": f"/{numbers[0]}/messages",
    }[name]  # fmt: skip

    def count():
        return len(statements(lambda: caller.get(f"/chat/conversations{path}")))

    count()  # whoever calls is known from here on
    few = count()
    for n in range(5):
        say(maya, numbers[0], f"Line {n}")
        new_conversation(maya, f"Another order {n}")
    assert (few, count()) == (EXPECTED[name],) * 2, connection.vendor


#: Statements of each write, its transaction's own left out.
WRITES = {"send": 6, "create": 3, "rename": 3, "read": 5, "delete": 3, "whatsapp": 7, "whatsapp again": 3}


@pytest.mark.parametrize("name", WRITES)
def test_writes(acme, api, maya, name):
    number = new_conversation(maya, "Order 4711")
    say(maya, number, "Where is it?")
    path = f"/chat/conversations/{number}"
    chat = {"session_name": acme.client.session_id, "chat_id": "c-1", "number_client": 12025550123}
    calls = {
        "send": lambda: maya.post(f"{path}/messages", {"content": "Hello?"}),
        "create": lambda: maya.post("/chat/conversations", {"title": "Another"}),
        "rename": lambda: maya.put(path, {"title": "Order 4712"}),
        "read": lambda: maya.post(f"{path}/read"),
        "delete": lambda: maya.delete(path),
        "whatsapp": lambda: api().post("/api/chat/create", chat),
    }
    if name == "whatsapp again":
        calls["whatsapp"]()
    elif name == "whatsapp":
        api().post("/api/chat/create", {**chat, "chat_id": ""})  # its session is known from here on
    ran = [sql for sql in statements(calls[name.removesuffix(" again")]) if sql.split()[0] in TABLES]
    assert len(ran) == WRITES[name], ran


TABLES = {"SELECT", "INSERT", "UPDATE", "DELETE"}


ROOMS = {
    "list": ("", 1), "list by bot": ("&botId=b", 1), "list by user": ("&userId={user}", 2),
    "list of an unknown user": ("&userId=x", 1), "a full page": ("&limit=1", 2),
    "a full page by both": ("&limit=1&botId=b&userId={user}", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("who", ["user", "staff"])
def test_lists_of_rooms(acme, by_cookie, who, name):
    user = acme.users[0].user
    owner = by_cookie(user)
    caller = owner if who == "user" else by_cookie(acme.staff.user)
    query, expected = ROOMS[name]
    path = f"/api/conversation?page=1&limit=50{query.format(user=user.uuid)}"

    def make(number):
        for n in range(number):
            owner.post("/api/conversation", {"room": f"room {n}", "integrationType": "website", "botId": "b"})

    def count():
        return len(statements(lambda: caller.get(path)))

    make(1)
    count()  # whoever calls is known from here on
    few = count()
    make(6)
    assert (few, count()) == (expected, expected)


#: Statements of each call of rooms, its transaction's own left out.
ROOM_CALLS = {
    "read": 1, "create": 4, "create for another": 7, "change": 4, "change nothing": 2, "delete": 3, "renew": 8,
}  # fmt: skip


@pytest.mark.parametrize("name", ROOM_CALLS)
def test_calls_of_rooms(acme, by_cookie, name):
    owner, staff = by_cookie(acme.users[0].user), by_cookie(acme.staff.user)
    body = {"room": "r", "integrationType": "website"}
    path = f"/api/conversation/{owner.post('/api/conversation', body).json()['data']['id']}"
    refresh = owner.headers["Cookie"].partition("; ")[2]
    calls = {
        "read": lambda: owner.get(path),
        "create": lambda: owner.post("/api/conversation", body),
        "create for another": lambda: staff.post("/api/conversation", {**body, "userId": str(acme.users[0].user.uuid)}),
        "change": lambda: owner.patch(path, {"room": "s", "botId": "b"}),
        "change nothing": lambda: owner.patch(path, body),
        "delete": lambda: owner.delete(path),
        "renew": lambda: owner.get(path, Cookie=refresh),
    }
    staff.get(path)
    if name == "renew":  # a token of the same second would be the one that is known
        known.clear()
    ran = [sql for sql in statements(calls[name]) if sql.split()[0] in TABLES]
    assert len(ran) == ROOM_CALLS[name], ran
