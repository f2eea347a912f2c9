"""Totals that cost no more than they are worth (contract `behaviour.md`)."""

from collections.abc import Callable
from typing import Literal, NotRequired, TypedDict

CAP = 10_000


class Total(TypedDict):
    total: int
    total_is_capped: NotRequired[Literal[True]]


def capped_total(count: Callable[[int], int], *, offset: int, limit: int, found: int) -> Total:
    """`{"total": n}`, exact up to 10,000, beyond that 10,000 and `"total_is_capped": true`.

    `found` rows were on the page [offset, offset + limit): a page that is not full tells the total.
    Else `count(cap)` counts them, no further than `cap`.
    """
    if 0 < found < limit or (found == 0 and offset == 0):
        total = offset + found
    else:
        total = count(CAP + 1)
    return capped(total)


def capped(total: int) -> Total:
    """Of what was counted no further than CAP + 1."""
    return {"total": CAP, "total_is_capped": True} if total > CAP else {"total": total}
