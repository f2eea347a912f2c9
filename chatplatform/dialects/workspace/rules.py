from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from messaging import actions
from messaging.models import CommunicationRule

from ..operations import operation
from . import ids
from . import rule_inputs as inputs
from . import rule_shapes as shapes
from .paging import paged
from .people import PeopleView


class CommunicationRules(PeopleView):
    reads = writes = "settings"
    renamed = {
        "start": "conditions.time_range.start",
        "end": "conditions.time_range.end",
        "time_zone": "conditions.time_range.timezone",
        **{name: f"conditions.{name}" for name in ("days", "channel", "tag")},
        **{name: f"actions.{name}" for name in ("auto_reply", "route_to")},
    }

    @operation("List communication rules", query=inputs.RuleList, answer=shapes.Rules)
    def list(self, request: Request) -> Response:
        """The oldest first: in the order in which they are asked."""
        page, pagination = paged(self.all(CommunicationRule).order_by("id"), self.query())
        return Response({"communication_rules": [shapes.rule(row) for row in page], "pagination": pagination})

    @operation(
        "Create a communication rule", body=inputs.NewRule, answer=shapes.Rule, status=201, gives={"rule_id": "/id"}
    )
    def create(self, request: Request) -> Response:
        row = actions.create_rule(client=self.client, **_columns(self.body()))
        return Response(shapes.rule(row), status=201)

    @operation("Get a communication rule", answer=shapes.Rule, problems=(404,))
    def retrieve(self, request: Request, rule_id: str) -> Response:
        return Response(shapes.rule(self._rule(rule_id)))

    @operation("Change a communication rule", body=inputs.RuleChanges, answer=shapes.Rule, problems=(404,))
    def update(self, request: Request, rule_id: str) -> Response:
        changes = _columns(self.body())
        return Response(shapes.rule(actions.update_rule(rule=self._rule(rule_id), **changes)))

    @operation("Delete a communication rule", answer=None, status=204, problems=(404,))
    def destroy(self, request: Request, rule_id: str) -> Response:
        actions.delete_rule(self._rule(rule_id))
        return Response(status=204)

    def _rule(self, rule_id: str) -> CommunicationRule:
        row: CommunicationRule = self.find(self.all(CommunicationRule), "Rule", uuid=ids.parse("rule", rule_id))
        return row


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    """What a body names, by the store's columns; what it takes away is empty there."""
    conditions, does = given.pop("conditions", {}), given.pop("actions", {})
    if "time_range" in conditions:
        times = conditions.pop("time_range") or {}
        given |= {name: times.get(name) for name in ("start", "end")}
        given["time_zone"] = times.get("timezone") or ""
    if "days" in conditions:
        given["days"] = conditions.pop("days") or []
    return given | {name: value or "" for name, value in {**conditions, **does}.items()}
