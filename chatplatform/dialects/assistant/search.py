from rest_framework.request import Request
from rest_framework.response import Response

from messaging.search.messages import search
from messaging.search.query import parse
from messaging.search.results import results

from ..counting import capped
from ..operations import operation
from . import inputs, shapes
from .view import View


class Search(View):
    @operation("Search messages", query=inputs.Search, answer=shapes.ResultsFound)
    def list(self, request: Request) -> Response:
        query = self.query()
        parsed = parse(query["query"])
        found = search(
            self.caller,
            parsed,
            limit=query["limit"],
            offset=query["offset"],
            by_rank=query["order"] == "rank",
            conversation_id=query.get("conversation_id"),
        )
        rows = results(found.ids, parsed, *shapes.RESULT)
        total = capped(found.total)
        data = {"results": [shapes.result(row) for row in rows], "query": query["query"], **total}
        return self.ok(f"Found {total['total']} results", data)
