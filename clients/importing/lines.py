"""One line of a file of JSON lines, and what is wrong with a line of any file."""

import json
from typing import Any

from ..fields import json_problem


class BadLine(Exception):
    """Why a line cannot go in."""


def json_object(line: bytes) -> dict[str, Any]:
    """Raises BadLine with the reason."""
    try:
        data = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadLine("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise BadLine(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or nested without end
        raise BadLine("not JSON that can be read") from error
    if not isinstance(data, dict):
        raise BadLine("not a JSON object")
    if problem := json_problem(data):
        raise BadLine(problem)
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadLine(f"duplicate key {shown(twice)}")
    return data


def _no_constant(name: str) -> Any:
    raise BadLine(f"{name} is not JSON")


def shown(text: str | None) -> str:
    """The beginning of what somebody wrote, safe for a terminal."""
    return json.dumps((text or "")[:60], ensure_ascii=True)
