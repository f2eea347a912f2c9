from rest_framework.request import Request
from rest_framework.response import Response

from analytics import dashboards
from chatplatform.errors import Forbidden

from ..operations import operation
from . import inputs, shapes
from .view import View


class Analytics(View):
    @operation("The caller's own figures", query=inputs.Dashboard, answer=shapes.AnalyticsFound)
    def own(self, request: Request) -> Response:
        days = self.query()["days"]
        caller = self.caller
        assert caller.user_id is not None  # noqa: S101 - only users have tokens here
        found = dashboards.own(user_id=caller.user_id, client_id=caller.client_id, days=days)
        return self.ok("Analytics retrieved", found)

    @operation("The figures of all users", answer=shapes.GlobalAnalyticsFound, problems=(403,))
    def overall(self, request: Request) -> Response:
        if not self.caller.is_admin:
            raise Forbidden("Admin access required")
        return self.ok("Global analytics retrieved", dashboards.overall(client_id=self.caller.client_id))
