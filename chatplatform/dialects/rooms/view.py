from dataclasses import replace
from uuid import UUID

from chatplatform.errors import NotFound
from conversations.visible import Visible

from ..base import DialectView
from ..cookies import UserCookie
from ..fields import parse_uuid
from ..problems import Problem
from . import shapes

#: Where an id has the wrong shape: a uuid that no row has.
_NOBODY = UUID(int=0)
_WORDS = {401: "Unathorized", 403: "Forbidden"}
_UNKNOWN = "ConversationId is Invalid"


class View(DialectView):
    """`{"status", "message"?, "data"}`, errors `{"status", "error"}`; a user's cookie; uuids as ids."""

    authentication_classes = [UserCookie]
    errors = shapes.Error
    always = (401, 403, 500, 503, 507)

    def uuid_of(self, conversation_id: str) -> UUID:
        """The documentation writes an item's path as `conversation:id`: that form is good too."""
        uuid = parse_uuid(conversation_id.removeprefix("conversation:"))
        return UUID(uuid) if uuid else _NOBODY

    def conversation(self, conversation_id: str) -> Visible:
        """The conversation of that id as the caller sees it, for an action to check and lock."""
        return Visible(self.uuid_of(conversation_id), self.caller)

    def restate(self, problem: Problem) -> Problem:
        """An unknown id is a bad request here."""
        if isinstance(problem.error, NotFound) and problem.error.what == "Conversation":
            code = "unknown_to_delete" if self.request.method == "DELETE" else "unknown"
            return replace(problem, status=400, code=code, message=_UNKNOWN)
        return problem

    def error_body(self, problem: Problem) -> shapes.Error:
        fields = {"body": [problem.message]} if problem.code == "malformed" else problem.fields
        invalid = fields or problem.code == "invalid"
        body: shapes.Error = {
            # DELETE documents another number in the body than the status that HTTP knows.
            "status": 4010 if problem.code == "unknown_to_delete" else problem.status,
            "error": "Validation Error" if invalid else _WORDS.get(problem.status, problem.message),
        }
        if fields:
            body["errors"] = fields
        if problem.reference:
            body["reference"] = problem.reference
        return body
