"""Short ways through call 6 of `assistant`; who answers is the fixture `endpoint`, by the agent `bot`."""

import json
from typing import Any

import pytest

from messaging.models import Message

QUESTION, ANSWER = "Where is order 7?", "It left this morning."
JSON, STREAM = "application/json", "text/event-stream"
accepts = pytest.mark.parametrize("accept", [JSON, STREAM], ids=["whole", "streamed"])


def ask(
    api: Any, conversation: int, message: str = QUESTION, accept: str = JSON, headers: Any = None, **given: Any
) -> Any:
    path = f"/chat/conversations/{conversation}/ai-response"
    return api.post(path, {"message": message, **given}, **{"Accept": accept, **(headers or {})})


def said(conversation: int) -> list[tuple[str, bool]]:
    """What stands in it, and whether a customer said it."""
    rows = Message.objects.of(conversation).counted().order_by("seq")
    return [(row.text, row.is_customer) for row in rows]


def events(answer: Any) -> list[tuple[str, Any]]:
    """Of a stream: names and data."""
    frames = b"".join(answer.streaming_content).decode().strip().split("\n\n")
    pairs = [frame.split("\n", 1) for frame in frames]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]
