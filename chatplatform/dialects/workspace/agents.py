from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from clients import actions
from clients.checks import known_own_id
from clients.models import Agent

from ..operations import operation
from . import people_inputs as inputs
from . import people_shapes as shapes
from .paging import paged
from .people import PeopleView


class Agents(PeopleView):
    """Those who answer; the client's own voice (`system`) is none of them."""

    renamed = {"agent_id": "id"}

    @operation("List agents", query=inputs.AgentList, answer=shapes.Agents)
    def list(self, request: Request) -> Response:
        """The newest first."""
        query = self.query()
        rows = self._agents().order_by("-id").filter(**{k: query[k] for k in ("kind", "is_active") if k in query})
        page, pagination = paged(rows, query)
        return Response({"agents": [shapes.agent(row) for row in page], "pagination": pagination})

    @operation("Create an agent", body=inputs.NewAgent, answer=shapes.AgentShown, status=201, gives={"agent_id": "/id"})
    def create(self, request: Request) -> Response:
        given = _with_queues(self.body(), [])
        row = actions.create_agent(client=self.client, agent_id=given.pop("id", None), **given)
        return Response(shapes.agent(row), status=201)

    @operation("Get an agent", answer=shapes.AgentShown, problems=(404,))
    def retrieve(self, request: Request, agent_id: str) -> Response:
        return Response(shapes.agent(self._agent(agent_id)))

    @operation("Change an agent", body=inputs.AgentChanges, answer=shapes.AgentShown, problems=(404,))
    def update(self, request: Request, agent_id: str) -> Response:
        row = self._agent(agent_id)
        given = _with_queues(self.body(), row.queues)
        return Response(shapes.agent(actions.update_agent(agent=row, **given)))

    def _agents(self) -> Any:
        return self.all(Agent).answering()

    def _agent(self, agent_id: str) -> Agent:
        row: Agent = self.find(self._agents(), "Agent", agent_id=known_own_id(agent_id))
        return row


def _with_queues(given: dict[str, Any], present: list[str]) -> dict[str, Any]:
    """`queues` is all of them. `queue` alone is the only one; sent back as it was shown it changes nothing."""
    if "queues" in given:
        given["queues"] = given["queues"] or []
        given.pop("queue", None)
    elif "queue" in given:
        queue = given.pop("queue")
        shown = present[0] if present else None
        if queue != shown:
            given["queues"] = [queue] if queue else []
    return given
