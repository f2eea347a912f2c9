"""What a dialect is: who the caller is, what they may find, and its own words for what goes wrong."""

from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.db import models
from django.http import HttpRequest
from django.urls import URLPattern, path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback
from rest_framework.viewsets import ViewSet

from chatplatform.errors import NotFound
from clients.callers import Caller
from clients.credentials import BadCredential, caller_of_access_token

from .fields import Input, Query, read
from .parsing import AlwaysJSON, JSONRenderer, StrictJSONParser
from .permissions import HasCaller
from .problems import Problem, problem_of

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def bearer_token(request: HttpRequest | Request) -> str | None:
    """The credential of `Authorization: Bearer …`, None without one."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


class UserToken(BaseAuthentication):
    """A user's JWT. Staff who write are looked up afresh; others may be known from a moment ago."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        secret = bearer_token(request)
        if secret is None:
            return None
        try:
            caller = caller_of_access_token(secret)
            if caller.is_staff and request.method not in _SAFE:
                caller = caller_of_access_token(secret, fresh=True)
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class DialectView(ViewSet):
    """Base of every dialect's own base view. A dialect translates; it never decides."""

    authentication_classes = []
    permission_classes = [HasCaller]
    throttle_classes = []
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJSON  # type: ignore[assignment]
    schema = None

    # --- who and what ---

    @property
    def caller(self) -> Caller:
        caller: Caller = self.request.user  # type: ignore[assignment]
        return caller

    def all(self, model: type[models.Model]) -> Any:
        """The rows of a model that the caller may see; every look-up of a dialect begins here."""
        return model._default_manager.all().visible_to(self.caller)  # type: ignore[attr-defined]

    def find(self, rows: models.QuerySet[Any], what: str, **lookup: Any) -> Any:
        """The one row, else the dialect's not-found; a None in `lookup` is an id of the wrong shape."""
        found = None if None in lookup.values() else rows.filter(**lookup).first()
        if found is None:
            raise NotFound(what)
        return found

    def body(self, kind: type[Input]) -> dict[str, Any]:
        return read(kind, self.request.data)

    def query(self, kind: type[Query]) -> dict[str, Any]:
        return read(kind, self.request.query_params.dict())

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Conversations and tokens are nothing for caches between (RFC 9111, RFC 6749 5.1)."""
        return {"Allow": ", ".join(self.allowed_methods), "Cache-Control": "no-store"}

    # --- what goes wrong ---

    def error_body(self, problem: Problem) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no words for its errors")

    def restate(self, problem: Problem) -> Problem:
        """For a dialect that documents another status for a kind of problem."""
        return problem

    def handle_exception(self, exc: Exception) -> Response:
        set_rollback()  # where a request is one transaction, an error must not commit half of it
        if isinstance(exc, NotAuthenticated | AuthenticationFailed):
            exc.auth_header = self.get_authenticate_header(self.request)  # type: ignore[union-attr, arg-type]
        problem = self.restate(problem_of(exc))
        if problem.status == 500:
            got_request_exception.send(sender=type(self), request=self.request)
        response = Response(self.error_body(problem), status=problem.status, headers=dict(problem.headers))
        response.exception = True
        return response

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> Any:
        if request.user is None:
            raise NotAuthenticated
        super().permission_denied(request, message=message, code=code)  # type: ignore[arg-type]

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Preflights are answered before any view; nothing else is told of what stands here."""
        raise MethodNotAllowed("OPTIONS")


def route(suffix: str, view: type[DialectView], **actions: str) -> list[URLPattern]:
    """One documented path, with and without a slash at its end: `route("rooms", Rooms, get="list")`."""
    handler: Callable[..., Any] = view.as_view(dict(actions))
    return [path(suffix, handler), path(f"{suffix}/", handler)]
