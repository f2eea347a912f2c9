from collections.abc import Mapping
from typing import Any, TypedDict


class Error(TypedDict):
    wrong: int
    why: str


class Ticket(TypedDict):
    id: int
    subject: str


class Tickets(TypedDict):
    tickets: list[Ticket]
    limit: int


def ticket(row: Mapping[str, Any]) -> Ticket:
    return {"id": row["id"], "subject": row["title"]}
