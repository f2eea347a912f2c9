"""For the fuzzer: what no JSON Schema can say of our input. It loads this file by itself."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import schemathesis

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 15  # of what is put into a body that is itself some levels deep


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Integers that are not exact everywhere and values nested too deep are malformed, also in fields
    that nobody reads (contracts, README)."""
    return all(depth < MAX_DEPTH and _is_exact(value) for depth, value in _walk(body))


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """In JSON 7.0 is an integer; a query string has digits only."""
    return not any(isinstance(value, float) for value in (query or {}).values())


_numbers = count()


@schemathesis.hook
def map_headers(context: Any, headers: Any) -> Any:
    """A key that another sequence of calls has used replays that one's answer, as it should: the row that it
    names may be gone. So each call that makes something has a key of its own."""
    key = (headers or {}).get("Idempotency-Key")
    if context.operation.method.upper() == "POST" and isinstance(key, str) and 0 < len(key) <= 240:
        return {**headers, "Idempotency-Key": f"{key}{next(_numbers)}"}
    return headers


def _is_exact(value: Any) -> bool:
    return not isinstance(value, int | float) or -MAX_INTEGER <= value <= MAX_INTEGER


def _walk(value: Any, depth: int = 0) -> Iterator[tuple[int, Any]]:
    yield depth, value
    if isinstance(value, dict):
        for part in value.values():
            yield from _walk(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, depth + 1)
