"""The numbered errors of the contract."""

from dataclasses import replace
from typing import Any

from chatplatform.errors import KeyInUse, KeyReused, NotFound, TransitionRefused

from ..problems import Problem
from .shapes import Error, Wrong

MESSAGES = {
    "1000": "Internal Error",
    "1001": "Unauthorized",
    "1002": "Forbidden",
    "1003": "Validation Error",
    "1004": "Not Found",
    "1005": "Rate Limit Exceeded",
    "1006": "Conflict",
    "1007": "Malformed Request",
    "1008": "Payload Too Large",
    "1009": "Method Not Allowed",
    "1010": "Unsupported Media Type",
    "1011": "Service Unavailable",
    "2001": "Conversation Not Found",
    "2002": "Invalid Participant",
    "2003": "Conversation Closed",
    "2004": "Participant Limit Exceeded",
    "2005": "Message Too Large",
}
_OF_KIND = {
    "malformed": "1007",
    "participant": "2002",
    "closed": "2003",
    "limit": "2004",
    "message_size": "2005",
}
_OF_STATUS = {
    401: "1001", 403: "1002", 404: "1004", 405: "1009", 409: "1006", 413: "1008", 415: "1010", 422: "1003",
    429: "1005", 503: "1011", 507: "1011",
}  # fmt: skip


def restated(problem: Problem) -> Problem:
    """What others call a bad request is a validation error here; only what is no JSON object is malformed."""
    if problem.status == 400 and problem.code != "malformed":
        return replace(problem, status=422)
    return problem


def error_body(problem: Problem) -> Error:
    code = _code(problem)
    error: Wrong = {"code": code, "message": MESSAGES[code]}
    if (details := _details(problem, code)) is not None:
        error["details"] = details
    return {"error": error}


def _code(problem: Problem) -> str:
    if isinstance(problem.error, NotFound) and problem.error.what == "Conversation":
        return "2001"
    return _OF_KIND.get(problem.code) or _OF_STATUS.get(problem.status, "1000")


def _details(problem: Problem, code: str) -> Any:
    if isinstance(problem.error, TransitionRefused):
        return {"from": problem.error.old, "to": problem.error.new}
    if isinstance(problem.error, KeyReused | KeyInUse):
        return problem.message
    if code == "1003":
        return problem.fields or {"non_field_errors": [problem.message]}
    if code in ("1006", "2002"):
        return problem.fields or None
    if code == "1007":
        return problem.message
    return problem.reference or None
