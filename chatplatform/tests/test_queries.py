"""How many statements each call runs, whatever the number of rows (performance: no N+1)."""

import pytest
from django.db import connection

from chatplatform.tests.store import new_conversation, say, statements

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
    ran = [sql for sql in statements(calls[name.removesuffix(" again")]) if sql.split()[0] in TABLES]
    assert len(ran) == WRITES[name], ran


TABLES = {"SELECT", "INSERT", "UPDATE", "DELETE"}
