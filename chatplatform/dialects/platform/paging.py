"""Where a page stands in its list, as Laravel's paginator tells it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request

from .shapes import Links, Meta

#: No list is longer, and every database counts so far.
_FAR = 2**62


def offset_of(query: Mapping[str, Any]) -> int:
    return min((query["page"] - 1) * query["per_page"], _FAR)


def placed(
    request: Request, query: Mapping[str, Any], *, shown: int, more: bool, total: Mapping[str, Any]
) -> tuple[Links, Meta]:
    """`links` and `meta` of a page with so many rows; the addresses keep what the caller asked for."""
    page, per_page, offset = query["page"], query["per_page"], offset_of(query)
    path = request.build_absolute_uri(request.path.rstrip("/"))
    given = request.query_params.dict().items()
    kept = {name: value for name, value in given if value and name in query and name != "page"}
    last_page = max(1, -(-total["total"] // per_page))

    def address(number: int) -> str:
        return f"{path}?{urlencode({**kept, 'page': number})}"

    links: Links = {
        "first": address(1),
        "last": address(last_page),
        "prev": address(page - 1) if page > 1 else None,
        "next": address(page + 1) if more else None,
    }
    meta: Meta = {
        "current_page": page,
        "from": offset + 1 if shown else None,
        "last_page": last_page,
        "path": path,
        "per_page": per_page,
        "to": offset + shown if shown else None,
        **total,  # type: ignore[typeddict-item]
    }
    return links, meta
