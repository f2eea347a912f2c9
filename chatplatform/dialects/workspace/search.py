from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from messaging.search.messages import search
from messaging.search.query import parse
from messaging.search.results import results

from ..counting import capped
from ..operations import operation
from . import ids, inputs
from . import message_shapes as shapes
from .view import View

_COLUMNS = (*shapes.MESSAGE, *shapes.SENDER.values(), "conversation__uuid")


class Search(View):
    reads = writes = "search"
    rates = "messages"

    @operation("Search messages", query=inputs.Search, answer=shapes.FoundMessages)
    def messages(self, request: Request) -> Response:
        query = self.query()
        limit, offset, parsed = query["limit"], query["offset"], parse(query["query"])
        found = search(self.caller, parsed, limit=limit + 1, offset=offset, by_rank=query["order"] == "rank")
        rows = results(found.ids[:limit], parsed, *_COLUMNS)
        files = self.attachments_of([row["id"] for row in rows if shapes.needs_files(row)])
        return Response(
            {
                "messages": [self._shown(row, files) for row in rows],
                "pagination": {
                    "limit": limit, "offset": offset, **capped(found.total), "has_more": len(found.ids) > limit,
                },
            }
        )  # fmt: skip

    def _shown(self, row: dict[str, Any], files: dict[int, Any]) -> shapes.FoundMessage:
        conversation = ids.shown("conv", row["conversation__uuid"])
        message = shapes.message(row, conversation, self.file_url, files.get(row["id"], ()))
        return {**message, "highlight": row["highlight"]}
