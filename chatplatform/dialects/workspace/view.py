from typing import Any

from chatplatform.errors import NotFound
from conversations.visible import Scoped, Visible

from ..base import DialectView
from ..credentials import SAFE_METHODS, WorkspaceToken
from ..permissions import HasCaller
from ..problems import Problem
from . import ids, shapes, words


class HasScope(HasCaller):
    """A token that was given the scope which the view names for reading, or for writing."""

    def has_permission(self, request: Any, view: Any) -> bool:
        scope = view.reads if request.method in SAFE_METHODS else view.writes
        return super().has_permission(request, view) and scope in request.user.scopes


class View(DialectView):
    """The bare resource; `{"error": {"code", "message", "details"?}}`; a workspace token with scopes;
    ids with a prefix."""

    authentication_classes = [WorkspaceToken]
    permission_classes = [HasScope]
    errors = shapes.Error
    always = (401, 403, 500, 503, 507)
    of_reads = (422,)
    of_writes = (400, 409, 413, 415, 422)
    rates = "conversations"
    #: The scopes that a token needs here.
    reads = "conversations:read"
    writes = "conversations:write"

    def conversation(self, conversation_id: str) -> Visible:
        """The conversation of that id as the caller sees it, for an action to check and lock."""
        return Visible(ids.parse("conv", conversation_id), self.caller)

    def values_of(self, conversation_id: str, statement: Scoped) -> dict[str, Any]:
        """The values that a statement with the parameter `id` (a uuid) answers for a visible conversation."""
        found = statement.dicts(self.caller, id=ids.parse("conv", conversation_id))
        if not found:
            raise NotFound("Conversation")
        return found[0]

    def restate(self, problem: Problem) -> Problem:
        return words.restated(problem)

    def error_body(self, problem: Problem) -> shapes.Error:
        return words.error_body(problem)
