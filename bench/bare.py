"""The yardstick: the product's own SQL under a bare ASGI server, without a framework's comforts.

It runs the statements that `record.py` has written down (BENCH_STATEMENTS), in their order and inside
BEGIN and COMMIT where the product has them, verifies and remembers the same tokens, and answers the
same JSON. Parameters are bound by the column that they belong to; one whose column is not named below
keeps the value it had when it was recorded (`public`, `{}`, LIMIT 50). No Django here.
"""

import os
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
from psycopg import AsyncConnection
from psycopg.types import numeric
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

KEY = os.environ.get("BENCH_JWT_KEY", "")
SILENCE = timedelta(minutes=30)
REMEMBER = 30  # seconds, as CREDENTIAL_CACHE_SECONDS
set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)


class Statement:
    """One recorded statement; `column -> value` in, a row or rows out."""

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.sql = recorded["sql"]
        self.reads = not self.sql.startswith("UPDATE")
        self.takes = [self._parameter(parameter) for parameter in recorded["params"]]

    @staticmethod
    def _parameter(parameter: dict[str, Any]) -> tuple[str, str, Any, Any]:
        kind, value = parameter["type"], parameter["value"]
        wrap = Jsonb if kind == "Jsonb" else getattr(numeric, kind, None) if kind.startswith("Int") else None
        if kind == "datetime":
            value = datetime.fromisoformat(value)
        elif kind == "UUID":
            value = uuid.UUID(value)
        elif wrap:
            value = wrap(value)
        return f"{parameter['table']}.{parameter['column']}", str(parameter["column"]), wrap, value

    def bind(self, values: dict[str, Any]) -> list[Any]:
        bound = []
        for qualified, column, wrap, constant in self.takes:
            name = qualified if qualified in values else column
            if name in values:
                value = values[name]
                bound.append(wrap(value) if wrap and value is not None else value)
            else:
                bound.append(constant)
        return bound

    async def rows(self, connection: AsyncConnection[Any], values: dict[str, Any]) -> tuple[list[str], list[Any]]:
        cursor = await connection.execute(self.sql, self.bind(values))
        if cursor.description is None:
            return [], []
        return [column.name for column in cursor.description], await cursor.fetchall()


def load() -> dict[str, list[Statement]]:
    with open(os.environ["BENCH_STATEMENTS"], "rb") as file:
        return {name: [Statement(one) for one in found] for name, found in orjson.loads(file.read()).items()}


async def caller(connection_pool: AsyncConnectionPool[Any], request: Request) -> dict[str, Any]:
    """Who the token belongs to; as in the product its verification is believed for half a minute."""
    secret = request.headers["authorization"][7:]
    entry = known.get(secret)
    if entry and entry[0] > time.time():
        return entry[1]
    claims = jwt.decode(
        secret, KEY, algorithms=["HS256"], issuer="chatplatform",
        options={"require": ["exp", "iss", "sub", "fam", "ver", "typ"]},
    )  # fmt: skip
    values = {"clients_user.uuid": claims["sub"], "token_version": claims["ver"], "family": claims["fam"]}
    async with connection_pool.connection() as connection:
        names, [row] = await statements["credential"][0].rows(connection, values)
        user = dict(zip(names[:16], row, strict=False))
        values["user_id"] = user["id"]
        for statement in statements["credential"][1:]:
            await statement.rows(connection, values)
    found = {"user_id": user["id"], "client_id": user["client_id"], "name": user["name"]}
    known[secret] = (time.time() + REMEMBER, found)
    return found


async def list_conversations(request: Request) -> Response:
    who = await caller(pool, request)
    limit = int(request.query_params.get("limit", 20))
    values = {"client_id": who["client_id"], "user_id": who["user_id"]}
    first, *count = statements["conversations"]
    async with pool.connection() as connection:
        names, found = await first.rows(connection, values)
        total = len(found)
        if total == limit and count:
            _, [[total]] = await count[0].rows(connection, values)
    at = {name: names.index(name) for name in names}
    own, staff, owner = at["owner_unread"], at["participants__unread_count"], at["owner_id"]
    data = {
        "conversations": [
            {
                "id": row[at["id"]],
                "title": row[at["title"]] or row[at["room"]] or row[at["channel"]],
                "user_id": row[owner],
                "agent_id": row[at["assigned_agent_id"]],
                "conversation_type": row[at["kind"]],
                "status": row[at["status"]],
                "is_archived": row[at["is_archived"]],
                "is_pinned": row[at["is_pinned"]],
                "total_messages": row[at["message_count"]],
                "unread_count": row[own] if row[owner] == who["user_id"] else row[staff],
                "last_message_at": stamp(row[at["last_message_at"]]),
                "created_at": stamp(row[at["created_at"]]),
            }
            for row in found
        ],
        "total": total,
        "limit": limit,
        "offset": 0,
    }
    return ok(f"Found {total} conversations", data)


async def list_messages(request: Request) -> Response:
    who = await caller(pool, request)
    conversation = int(request.path_params["id"])
    limit = int(request.query_params.get("limit", 50))
    values = {
        "client_id": who["client_id"], "user_id": who["user_id"], "id": conversation, "conversation_id": conversation
    }  # fmt: skip
    *before, last = statements["messages"]
    count = None
    async with pool.connection() as connection:
        for statement in before:
            names, [row] = await statement.rows(connection, values)
            count = row[names.index("message_count")]
        names, found = await last.rows(connection, values)
    at = {name: names.index(name) for name in names}
    data = {
        "messages": [
            {
                "id": row[at["id"]],
                "conversation_id": row[at["conversation_id"]],
                "content": row[at["text"]],
                "content_type": row[at["type"]],
                "sender": "user" if row[at["sender_agent_id"]] is None else "agent",
                "message_type": row[at["type"]],
                "status": row[at["status"]],
                "tokens_used": row[at["tokens_used"]],
                "processing_time": row[at["processing_time"]],
                "created_at": stamp(row[at["created_at"]]),
                "attachments": [],
            }
            for row in found
        ],
        "total": count,
        "limit": limit,
        "offset": 0,
    }
    return ok(f"Found {count} messages", data)


async def send(request: Request) -> Response:
    who = await caller(pool, request)
    body = orjson.loads(await request.body())
    conversation, text = int(request.path_params["id"]), body["content"]
    values = {
        "client_id": who["client_id"], "user_id": who["user_id"], "id": conversation, "conversation_id": conversation
    }  # fmt: skip
    async with pool.connection() as connection, connection.transaction():
        locking = statements["send"][0]
        names, [found] = await locking.rows(connection, values)
        row = dict(zip(names, found, strict=True))
        at = max(datetime.now(UTC), row["last_message_at"])
        fresh = at - row["last_message_at"] >= SILENCE
        seq, identity = row["last_seq"] + 1, uuid7()
        start = at if fresh else row["session_started_at"]
        # The conversation's columns keep their values but for those that a message moves.
        columns = {**row, "updated_at": at, "activity_at": at, "last_message_at": at, "last_seq": seq,
                   "last_message_seq": seq, "message_count": row["message_count"] + 1,
                   "last_message_text": text[:1000], "staff_unread": row["staff_unread"] + 1,
                   "waiting_since": row["waiting_since"] or at, "session_started_at": start}  # fmt: skip
        values |= {f"conversations_conversation.{name}": value for name, value in columns.items()}
        values |= {
            "uuid": identity, "seq": seq, "text": text, "sender_user_id": who["user_id"], "sender_name": who["name"],
            "created_at": at, "updated_at": at, "activity_at": at,
            "session_start": start, "session_end": at, "duration_minutes": int((at - start).total_seconds() // 60),
            "data": {"message": str(identity), "seq": seq},
        }  # fmt: skip
        message = None
        for statement in statements["send_new_session" if fresh else "send"][1:]:
            _, returned = await statement.rows(connection, values)
            if message is None and returned:
                message = returned[0][0]
    data = {
        "message_id": message, "conversation_id": conversation, "content": text, "sender": "user",
        "created_at": stamp(at),
    }  # fmt: skip
    return ok("Message added successfully", data)


def ok(message: str, data: Any) -> Response:
    body = orjson.dumps({"success": True, "message": message, "data": data})
    return Response(body, media_type="application/json")


def stamp(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")[:19] + "Z"


async def health(request: Request) -> Response:
    return Response(b"ok")


known: dict[str, tuple[float, dict[str, Any]]] = {}
statements: dict[str, list[Statement]] = {}
pool: AsyncConnectionPool[Any]


async def configure(connection: AsyncConnection[Any]) -> None:
    connection.prepare_threshold = 3


@asynccontextmanager
async def lifespan(app: Starlette) -> Any:
    global pool
    statements.update(load())
    pool = AsyncConnectionPool(
        os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1),
        min_size=1, max_size=6, open=False, configure=configure,
        # Single statements commit by themselves, as Django's do; `send` opens its transaction.
        kwargs={
            "autocommit": True,
            "options": "-c synchronous_commit=on -c statement_timeout=30s -c lock_timeout=10s"
            " -c idle_in_transaction_session_timeout=60s -c timezone=UTC",
        },
    )  # fmt: skip
    async with pool:
        yield


_thread = "/chat/conversations/{id}/messages"
app = Starlette(
    lifespan=lifespan,
    routes=[
        Route(_thread, list_messages, methods=["GET"]),
        Route(_thread, send, methods=["POST"]),
        Route("/chat/conversations", list_conversations, methods=["GET"]),
        Route("/healthz", health),
    ],
)
