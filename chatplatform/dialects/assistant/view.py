from typing import Any

from rest_framework.response import Response

from chatplatform.errors import NotFound
from conversations.visible import Scoped, Visible

from ..base import DialectView
from ..credentials import UserToken
from ..fields import parse_id
from ..problems import Problem
from . import shapes


class View(DialectView):
    """`{"success", "message", "data"}`; a user's JWT on every call; integer ids."""

    authentication_classes = [UserToken]
    errors = shapes.Error

    def ok(self, message: str, data: Any, *, status: int = 200) -> Response:
        return Response({"success": True, "message": message, "data": data}, status=status)

    def conversation(self, conversation_id: str) -> Visible:
        """The conversation of that id as the caller sees it, for an action to check and lock."""
        return Visible(parse_id(conversation_id) or 0, self.caller)  # an id of the wrong shape is one that nobody has

    def values_of(self, conversation_id: str, statement: Scoped) -> dict[str, Any]:
        """The values that a statement with the parameter `id` answers for a visible conversation."""
        found = statement.dicts(self.caller, id=self.conversation(conversation_id).id)
        if not found:
            raise NotFound("Conversation")
        return found[0]

    def restate(self, problem: Problem) -> Problem:
        if problem.code == "message_size":
            return Problem(400, "invalid", problem.message, fields={"content": [problem.message]})
        if problem.code == "limit":  # an agent who is put in charge takes part from then on
            return Problem(400, "invalid", problem.message, fields={"agent_id": [problem.message]})
        return problem

    def error_body(self, problem: Problem) -> shapes.Error:
        fields = {"body": [problem.message]} if problem.code == "malformed" else problem.fields
        body: shapes.Error = {"success": False, "message": "Validation error" if fields else problem.message}
        if fields:
            body["errors"] = fields
        if problem.reference:
            body["reference"] = problem.reference
        return body
