"""What a dialect is: who the caller is, what they may find, and its own words for what goes wrong."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import models, transaction
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback
from rest_framework.viewsets import ViewSet

from chatplatform.errors import NotFound
from clients import rates
from clients.callers import Caller
from clients.rates import Limit
from messaging.files import download_address

from . import idempotency
from .cookies import give_renewed
from .credentials import SAFE_METHODS
from .fields import Input, Query, read
from .files import files_of
from .operations import Operation
from .parsing import AlwaysJSON, JSONRenderer, StrictJSONParser
from .permissions import HasCaller
from .problems import Problem, problem_of
from .rates import headers_of, limit_of, refuse


class DialectView(ViewSet):
    """Base of every dialect's own base view. A dialect translates; it never decides."""

    authentication_classes = []
    permission_classes = [HasCaller]
    throttle_classes = []
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJSON  # type: ignore[assignment]
    schema = None  # the project's own page and schemas: chatplatform/openapi

    #: The TypedDict of this dialect's error envelope (a union where it has several), and the error
    #: statuses that every call, every read and every write may answer in it.
    errors: Any = dict
    always: tuple[int, ...] = (401, 500, 503, 507)
    of_reads: tuple[int, ...] = (400,)
    of_writes: tuple[int, ...] = (400, 409, 413, 415)

    #: What its calls count as in a caller's minute (clients/rates); None: they are not counted.
    rates: str | None = "users"
    #: Whether answers are kept for an Idempotency-Key; not where they are secrets.
    keeps_answers = True
    #: Headers, besides the credential's, that every call takes (parameters of OpenAPI).
    header_parameters: tuple[Mapping[str, Any], ...] = ()

    operation: Operation

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

    def perform_authentication(self, request: Request) -> None:
        """Before anything else is looked at; whoever is known has one call less, whatever becomes of it."""
        super().perform_authentication(request)
        self.count_call(request)

    def count_call(self, request: Request) -> None:
        """Raises TooManyCalls."""
        if self.rates is not None and request.user is not None:
            self.spend(limit_of(self.caller, self.rates))

    def spend(self, limit: Limit, *, unless: Limit | None = None) -> None:
        """Counts the call, and says how it stands in whatever is answered. Raises TooManyCalls."""
        standing = rates.spend(limit, unless=unless)
        told = headers_of(standing)
        self.headers.update(told)
        self.request._request.rate_headers = told  # type: ignore[attr-defined]  # where the answer breaks: health.py
        refuse(standing)

    def perform(self, operation: Operation, call: Callable[[], Response]) -> HttpResponseBase:
        """Every declared call passes here."""
        self.operation = operation
        if self.request.method in SAFE_METHODS:
            return call()
        if operation.body is None:
            _ = self.request.data  # none is needed; a malformed one is refused
        return idempotency.once(self, call) if idempotency.HEADER in self.request.META else call()

    def key_owner(self) -> str | None:
        """Whose an Idempotency-Key is, None of nobody's."""
        caller = self.caller
        return f"user:{caller.user_id}" if caller.user_id is not None else f"token:{caller.token_id}"

    def transaction(self) -> AbstractContextManager[None]:
        """What a write with an Idempotency-Key runs in."""
        return transaction.atomic()

    def body(self) -> dict[str, Any]:
        """The validated body of the operation. Raises ValidationError."""
        return read(self.operation.body or Input, self.request.data)

    def query(self) -> dict[str, Any]:
        """The validated query string of the operation. Raises ValidationError."""
        return read(self.operation.query or Query, self.request.query_params.dict())

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Conversations and tokens are nothing for caches between (RFC 9111, RFC 6749 5.1)."""
        return {"Allow": ", ".join(self.allowed_methods), "Cache-Control": "no-store"}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        give_renewed(request, response)
        return super().finalize_response(request, response, *args, **kwargs)

    def file_url(self, file_id: UUID, name: str) -> str:
        """Where the bytes of a file are got, from now on for a quarter of an hour."""
        return self.whole(download_address(file_id, name))

    def whole(self, address: str) -> str:
        """An address of a file, of ours or of the store's, from its scheme on."""
        if settings.FILES_URL and address.startswith("/"):
            return f"{settings.FILES_URL}{address}"
        return self.request.build_absolute_uri(address)

    def attachments_of(self, message_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """Those of `files.files_of`."""
        return files_of(message_ids, self.file_url)

    # --- what goes wrong ---

    def error_body(self, problem: Problem) -> Mapping[str, Any]:
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
