from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from chatplatform.errors import NotFound
from clients.callers import Caller
from clients.credentials import BadCredential, client_of_platform_key
from conversations.visible import Scoped, Visible

from ..base import DialectView
from ..credentials import Again, UserToken
from ..fields import parse_uuid
from ..operations import operation_of
from ..problems import Problem
from . import shapes, words

#: Where an id has the wrong shape: a uuid that no row has.
_NOBODY = UUID(int=0)


KEY: Mapping[str, Any] = {
    "name": "X-PUBLIC-KEY",
    "in": "header",
    "required": True,
    "description": "The platform's public key; it names the client.",
    "schema": {"type": "string", "minLength": 1},
}


class KeyMissing(APIException):
    status_code = 400
    default_code = "key_missing"
    default_detail = "The X-PUBLIC-KEY header is required."


class KeyAndToken(UserToken):
    """The platform's public key, asked for first, and the JWT of a user of the client that it names.

    Whoever comes in here sees the conversations that they take part in, staff too.
    """

    def authenticate(self, request: Request) -> tuple[Caller, Again] | None:
        key = request.META.get("HTTP_X_PUBLIC_KEY", "").strip()
        if not key:
            raise KeyMissing
        try:
            client_id = client_of_platform_key(key)
        except BadCredential as error:
            raise AuthenticationFailed from error
        found = super().authenticate(request)
        if found is None:
            return None
        caller, again = found
        if caller.client_id != client_id:
            raise AuthenticationFailed
        return replace(caller, only_own=True), partial(_again, key, again)


def _again(key: str, again: Again) -> Caller:
    caller = again()
    if caller.client_id != client_of_platform_key(key):
        raise BadCredential
    return replace(caller, only_own=True)


class View(DialectView):
    """`{"message"?, "data"}`; a public key and a user's JWT on every call; uuids; Laravel's words."""

    authentication_classes = [KeyAndToken]
    errors = shapes.Error
    always = (400, 401, 500)
    of_reads = ()
    of_writes = (409, 413, 415, 422)
    header_parameters: tuple[Mapping[str, Any], ...] = (KEY,)

    def conversation(self, conversation_id: str) -> Visible:
        """The conversation of that id as the caller sees it, for an action to check and lock."""
        return Visible(_uuid(conversation_id), self.caller)

    def values_of(self, conversation_id: str, statement: Scoped) -> dict[str, Any]:
        """The values that a statement with the parameter `id` (a uuid) answers for a visible conversation."""
        found = statement.dicts(self.caller, id=_uuid(conversation_id))
        if not found:
            raise NotFound("Conversation")
        return found[0]

    def restate(self, problem: Problem) -> Problem:
        return words.restated(problem)

    def error_body(self, problem: Problem) -> shapes.Error:
        declared = operation_of(self, getattr(self, "action", None) or "")
        return words.error_body(problem, call=declared.summary if declared else "Answer the request")


def _uuid(text: str) -> UUID:
    parsed = parse_uuid(text)
    return UUID(parsed) if parsed else _NOBODY
