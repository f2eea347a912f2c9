from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.deadline import deadline, reading
from chatplatform.errors import NotFound
from chatplatform.middleware import client_address
from clients import rates
from clients.callers import Caller
from clients.credentials import BadCredential, caller_of_api_token
from clients.rates import Limit
from clients.service import client_of_session, session_of
from clients.tokens import digest

from ..base import DialectView
from ..credentials import bearer_token
from ..operations import Operation
from ..permissions import Anyone
from ..problems import Problem
from . import shapes

_PLAIN = {
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Payload too large",
    415: "Unsupported media type",
}


class OptionalToken(BaseAuthentication):
    """Nobody needs a credential here, unless the deployment demands a workspace token besides."""

    def authenticate(self, request: Request) -> Any:
        if not settings.WHATSAPP_REQUIRES_TOKEN:
            return None
        secret = bearer_token(request)
        if secret is None:
            raise NotAuthenticated
        try:
            return caller_of_api_token(secret), None
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def token_fits(token: Any, client_id: int) -> bool:
    """Where the deployment demands a token, it must be the session's own client's."""
    return not isinstance(token, Caller) or token.client_id == client_id


class View(DialectView):
    """`{"error", "details"?}`, partly in Spanish: exactly as documented."""

    authentication_classes = [OptionalToken]
    permission_classes = [Anyone]
    errors = shapes.Error
    rates = "sessions"

    def count_call(self, request: Request) -> None:
        """Not yet: whose call it is stands in its body."""

    def perform(self, operation: Operation, call: Callable[[], Response]) -> HttpResponseBase:
        given: dict[str, Any] = self.request.data  # type: ignore[assignment]
        session = given.get("session_name")
        if isinstance(session, str) and session.strip():
            self._count(session)
        return super().perform(operation, call)

    def _count(self, session: str) -> None:
        """A known session's call, or one more guess of its address. Whoever has guessed too often is not told
        whether the next one is right."""
        address = rates.address(client_address(self.request._request))
        guesses = Limit(f"guesses:{address}", rates.most("guesses"))
        found = session_of(session, reading(settings.WHATSAPP_DEADLINE))
        if found is None or not token_fits(self.request.user, found.client_id):
            self.spend(guesses)
        else:
            calls = Limit(f"sessions:{digest(session)}", rates.most("sessions", found.rate_limits))
            self.spend(calls, unless=guesses)

    def restate(self, problem: Problem) -> Problem:
        """408: the database did not answer within this endpoint's deadline. 400: a chat_id that is taken."""
        if problem.code == "timeout":
            return replace(problem, status=408)
        return replace(problem, status=400) if problem.code == "conflict" else problem

    def key_owner(self) -> str | None:
        """The session; one that is nobody's keeps nothing. A token that is demanded belongs to it."""
        given: dict[str, Any] = self.request.data  # type: ignore[assignment]
        session = given.get("session_name")
        if not isinstance(session, str) or client_of_session(session) is None:
            return None
        return f"session:{digest(session)}:{getattr(self.request.user, 'token_id', '')}"

    def transaction(self) -> AbstractContextManager[None]:
        return deadline(settings.WHATSAPP_DEADLINE)

    def error_body(self, problem: Problem) -> shapes.Error:
        match problem.status:
            case 400 if "session_name" in problem.fields:
                return {"error": "Session name is required"}
            case 400 if problem.fields:
                name, messages = next(iter(problem.fields.items()))
                if problem.code == "conflict":
                    return {"error": problem.message, "details": messages[0]}
                return {"error": "Validation error", "details": f"{name}: {messages[0]}"}
            case 400:
                return {"error": "Validation error", "details": f"body: {problem.message}"}
            case 404 if isinstance(problem.error, NotFound) and problem.error.what == "Client":
                return {"error": "Client not found"}
            case 401:
                return {"error": "Unauthorized", "details": problem.message}
            case 403:
                return {"error": "Error de permisos", "details": "Token de admin inválido o expirado"}
            case 408:
                return {"error": "La solicitud fue cancelada", "details": "Por favor, intenta de nuevo"}
            case 429:
                wait = problem.headers.get("Retry-After", "60")
                return {"error": "Too many requests", "details": f"Try again in {wait} seconds."}
            case 500:
                return {"error": "Error procesando la solicitud", "details": problem.reference}
            case status:
                return {"error": _PLAIN.get(status, problem.message), "details": problem.reference or problem.message}
