from dataclasses import replace
from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from chatplatform.errors import NotFound
from clients.credentials import BadCredential, caller_of_api_token

from ..base import DialectView, bearer_token
from ..permissions import Anyone
from ..problems import Problem

_PLAIN = {404: "Not found", 405: "Method not allowed", 413: "Payload too large", 415: "Unsupported media type"}


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


class View(DialectView):
    """`{"error", "details"?}`, partly in Spanish: exactly as documented."""

    authentication_classes = [OptionalToken]
    permission_classes = [Anyone]

    def restate(self, problem: Problem) -> Problem:
        """408: the database did not answer within this endpoint's deadline. 400: a chat_id that is taken."""
        if problem.code == "timeout":
            return replace(problem, status=408)
        return replace(problem, status=400) if problem.status == 409 else problem

    def error_body(self, problem: Problem) -> dict[str, Any]:
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
                return {"error": "Too many requests", "details": problem.message}
            case 500:
                return {"error": "Error procesando la solicitud", "details": problem.reference}
            case status:
                return {"error": _PLAIN.get(status, problem.message), "details": problem.reference or problem.message}
