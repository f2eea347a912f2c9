from conversations.visible import Visible

from ..base import DialectView
from ..credentials import UserToken
from ..fields import parse_id
from ..problems import Problem
from . import shapes


class View(DialectView):
    """The bare ticket; errors are `{"wrong", "why"}`."""

    authentication_classes = [UserToken]
    errors = shapes.Error

    def ticket(self, ticket_id: str) -> Visible:
        return Visible(parse_id(ticket_id) or 0, self.caller)

    def error_body(self, problem: Problem) -> shapes.Error:
        why = "; ".join(f"{name}: {said[0]}" for name, said in problem.fields.items())
        return {"wrong": problem.status, "why": why or problem.reference or problem.message}
