"""A page of a list and what the contract says of it."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from ..counting import capped_total
from ..fields import Count, Query
from .shapes import Pagination


class Page(Query):
    """What every list takes."""

    limit = Count(default=20, most=100)
    offset = Count(default=0, least=0)


class OrderedPage(Page):
    order = serializers.ChoiceField(choices=["asc", "desc"], default="desc")


def paged(rows: Any, query: dict[str, Any]) -> tuple[list[Any], Pagination]:
    """The rows of the page that a query asks for, and its `pagination`."""
    limit, offset = query["limit"], query["offset"]
    found = list(rows[offset : offset + limit + 1])
    return pagination(found, query, lambda cap: rows.order_by()[:cap].count())


def pagination(found: list[Any], query: dict[str, Any], count: Callable[[int], int]) -> tuple[list[Any], Pagination]:
    """The same of rows that were read already: the page and one row more, which tells whether more follow."""
    limit, offset = query["limit"], query["offset"]
    total = capped_total(count, offset=offset, limit=limit + 1, found=len(found))
    return found[:limit], {"limit": limit, "offset": offset, **total, "has_more": len(found) > limit}
