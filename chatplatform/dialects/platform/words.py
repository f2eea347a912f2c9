"""What goes wrong, in the words of Laravel."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatplatform.errors import NotFound

from ..problems import Problem
from . import shapes

#: Where the field's name goes, spaces for its underscores.
ATTRIBUTE = ":attribute"
REQUIRED = f"The {ATTRIBUTE} field is required."
SELECTED = f"The selected {ATTRIBUTE} is invalid."
_CLOSED = {"conversation": ["The conversation is closed."]}
_TOO_LARGE = {"text": ["The text field must not be greater than 65536 bytes."]}
_KEY_SHAPE = {"Idempotency-Key": ["The Idempotency-Key header must be 1 to 255 visible ASCII characters."]}
_KEY_REUSED = {"Idempotency-Key": ["The Idempotency-Key header was used for another request."]}
_PLAIN = {401: "Unauthenticated.", 429: "Too Many Attempts."}


def restated(problem: Problem) -> Problem:
    """What cannot be processed is 422; a database that is away is the documented 500."""
    match problem.code:
        case "invalid" if "Idempotency-Key" in problem.fields:
            return replace(problem, status=422, fields=_KEY_SHAPE)
        case "invalid":
            return replace(problem, status=422)
        case "key_reused":
            return replace(problem, status=422, fields=_KEY_REUSED)
        case "closed":
            return replace(problem, status=422, fields=_CLOSED)
        case "message_size":
            return replace(problem, status=422, fields=_TOO_LARGE)
    return replace(problem, status=500) if problem.status in (503, 507) else problem


def error_body(problem: Problem, *, call: str) -> shapes.Error:
    """`call` is what was to be done: "Create conversation"."""
    if problem.status == 500:
        error = problem.reference if problem.code == "internal" else "Database connection error"
        return {"success": False, "message": f"Failed to {call[0].lower()}{call[1:]}", "error": error}
    if problem.fields:
        return _validation(problem.fields)
    if problem.code == "malformed":
        return {"message": "Malformed JSON."}
    if isinstance(problem.error, NotFound):
        return {"message": f"{problem.message}."}
    return {"message": _PLAIN.get(problem.status, problem.message)}


def _validation(fields: Mapping[str, Sequence[str]]) -> shapes.Error:
    errors = {
        name: [message.replace(ATTRIBUTE, name.replace("_", " ")) for message in messages]
        for name, messages in fields.items()
    }
    first, *others = [message for messages in errors.values() for message in messages]
    more = f" (and {len(others)} more error{'s' if len(others) > 1 else ''})" if others else ""
    return {"message": f"{first}{more}", "errors": errors}
