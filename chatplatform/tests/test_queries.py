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
