"""Writes down the SQL that the product runs for each operation, for the bare server to run the same.

The calls go through the whole product in this process; so what `bare.py` executes changes with it.
"""

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q
from django.test import Client as HttpClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.types.json import Jsonb

from clients.credentials import issue_tokens, known
from clients.models import RateWindow, User
from conversations.models import Conversation

#: The column that a parameter is compared with, assigned to or added to.
_COLUMN = re.compile(r'(?:"(\w+)"\.)?"(\w+)"\s*(?:=|\+|<=|>=|<|>|<>)\s*\Z')
_TARGET = re.compile(r'\A\s*(?:INSERT INTO|UPDATE)\s+"(\w+)"')
_INSERT = re.compile(r'\A\s*INSERT INTO "\w+" \((.*?)\) VALUES', re.DOTALL)


@dataclass
class Recording:
    """By operation: its statements in their order, and how many the server is sent in all."""

    statements: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    queries: dict[str, int] = field(default_factory=dict)

    def write(self, path: str) -> None:
        with open(path, "w") as file:
            json.dump(self.statements, file, indent=1)


def record() -> Recording:
    """Sends two messages into one active conversation, and reads; the database must be filled."""
    found = Recording()
    # Silent for long, so that the first message begins a session and the second goes on with it.
    quiet = Conversation.objects.filter(status="active", last_message_at__lt=timezone.now() - timedelta(hours=1))
    row = quiet.filter(message_count__gte=50).order_by("last_message_at").first() or quiet.latest("message_count")
    headers = {"Authorization": f"Bearer {issue_tokens(row.owner).access}"}
    thread = f"/chat/conversations/{row.pk}/messages"
    known.clear()

    def call(name: str, method: str, path: str, body: Any = None, *, of: dict[str, str] = headers) -> None:
        statements: list[dict[str, Any]] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if RateWindow._meta.db_table not in sql:  # what is bare counts no calls
                statements.append({"sql": sql, "params": _parameters(sql, params or ())})
            return execute(sql, params, many, context)

        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        http = HttpClient()
        with CaptureQueriesContext(connection) as all_of_them, connection.execute_wrapper(note):
            response = http.generic(method, path, headers=of, **content)
        if response.status_code != 200:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.content[:300]!r}")
        found.statements[name] = statements
        found.queries[name] = len(all_of_them)  # BEGIN and COMMIT too

    call("credential", "GET", f"/chat/conversations/{row.pk}")
    found.statements["credential"] = [one for one in found.statements["credential"] if 'FROM "clients_' in one["sql"]]
    for name, user in (("conversations_short", _user_with(Q(n__lt=20))), ("conversations", _user_with(Q(n__gte=20)))):
        if user is not None:
            of = {"Authorization": f"Bearer {issue_tokens(user).access}"}
            call(name, "GET", "/chat/conversations?limit=20", of=of)  # the first of two pays for the credential
            call(name, "GET", "/chat/conversations?limit=20", of=of)
    call("messages", "GET", f"{thread}?limit=50&order=desc")
    call("send_new_session", "POST", thread, {"content": "Is anybody there?"})
    call("send", "POST", thread, {"content": "I have one more question."})
    return found


def _user_with(conversations: Q) -> User | None:
    """An end user whose conversations fill no page of 20, or fill one."""
    users = User.objects.filter(role="", username__startswith="customer").annotate(n=Count("owned"))
    return users.filter(conversations).order_by("id").first()


def _parameters(sql: str, params: Any) -> list[dict[str, Any]]:
    """For each parameter the column it belongs to, its type for psycopg, and its value now."""
    target = _TARGET.match(sql)
    insert = _INSERT.match(sql)
    columns = re.findall(r'"(\w+)"', insert.group(1)) if insert else []
    described = []
    before = sql.split("%s")
    for index, value in enumerate(params):
        if insert:
            table, column = target.group(1) if target else None, columns[index % len(columns)]
        else:
            match = _COLUMN.search(before[index].rstrip("("))
            table, column = (match.group(1), match.group(2)) if match else (None, None)
            table = table or (target.group(1) if target else None)
        described.append({"table": table, "column": column, **_value(value)})
    return described


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, Jsonb):
        return {"type": "Jsonb", "value": value.obj}
    if isinstance(value, datetime):
        return {"type": "datetime", "value": value.isoformat()}
    if isinstance(value, uuid.UUID):
        return {"type": "UUID", "value": str(value)}
    if isinstance(value, bool) or value is None:
        return {"type": "plain", "value": value}
    if isinstance(value, int):
        return {"type": type(value).__name__, "value": int(value)}
    return {"type": "plain", "value": str(value)}


def queries_per_request(found: Recording) -> dict[str, float]:
    """BEGIN and COMMIT are counted; of two forms of an operation the mean as its requests meet them."""
    users = User.objects.filter(username__startswith="customer").annotate(n=Count("owned"))
    full = users.filter(n__gte=20).count() / max(users.count(), 1)
    lists = found.queries
    short = lists.get("conversations_short", lists["conversations"])
    return {
        "send": lists["send"],
        "messages": lists["messages"],
        "conversations": full * lists["conversations"] + (1 - full) * short,
    }


def listing(found: Recording) -> str:
    """For people: each operation's statements with the column that each parameter was taken for."""
    lines = []
    for name, statements in found.statements.items():
        lines.append(f"== {name} ({found.queries[name]} queries)")
        for statement in statements:
            columns = ", ".join(f"{one['column']}={one['value']!r}" for one in statement["params"])
            lines.append(f"{statement['sql']}\n    [{columns}]")
    return "\n".join(lines)
