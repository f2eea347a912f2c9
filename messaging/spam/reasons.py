"""Why a message is judged as it is: each reason is a JSON object that is kept with the message."""

from collections.abc import Iterable
from typing import TypedDict

_DETAIL = 120  # characters


class Reason(TypedDict):
    rule: str
    points: float
    detail: str


def reason(rule: str, points: float, *details: str) -> Reason:
    """`details` are shown to staff: a few words of the message, cut short."""
    return {"rule": rule, "points": points, "detail": ", ".join(details)[:_DETAIL]}


def score(reasons: Iterable[Reason]) -> float:
    return sum(one["points"] for one in reasons)
