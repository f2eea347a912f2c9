"""Who is calling: the kinds of credentials that a dialect may take (`authentication_classes`).

Each kind looks at its own header and at nothing else: a cookie opens no dialect that takes Bearer
tokens, and the other way round.
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from clients.callers import Caller
from clients.credentials import BadCredential, caller_of_access_token, caller_of_api_token
from clients.tickets import redeem_ticket

#: Stands in `request.auth`: asks anew whose the credential is, for what outlasts a call. Raises BadCredential.
Again = Callable[[], Caller]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def bearer_token(request: HttpRequest | Request) -> str | None:
    """The credential of `Authorization: Bearer …`, None without one."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def user_of_access_token(secret: str, method: str | None) -> Caller:
    """Staff who write are looked up afresh; others may be known from a moment ago. Raises BadCredential."""
    caller = caller_of_access_token(secret)
    if caller.is_staff and method not in SAFE_METHODS:
        caller = caller_of_access_token(secret, fresh=True)
    return caller


class UserToken(BaseAuthentication):
    """A user's JWT as `Authorization: Bearer …`."""

    #: What a caller shows, all of it (security schemes of OpenAPI).
    schemes: ClassVar = {"userToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}

    def authenticate(self, request: Request) -> tuple[Caller, Again] | None:
        secret = bearer_token(request)
        if secret is None:
            return None
        try:
            again = partial(caller_of_access_token, secret, fresh=True)
            return user_of_access_token(secret, request.method), again
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class WorkspaceToken(BaseAuthentication):
    """A workspace's API token. Whoever writes is looked up afresh; readers may be known from a moment ago."""

    schemes: ClassVar = {"workspaceToken": {"type": "http", "scheme": "bearer"}}

    def authenticate(self, request: Request) -> tuple[Caller, Again] | None:
        secret = bearer_token(request)
        if secret is None:
            return None
        try:
            again = partial(caller_of_api_token, secret, fresh=True)
            return caller_of_api_token(secret, fresh=request.method not in SAFE_METHODS), again
        except BadCredential as error:
            raise AuthenticationFailed from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Ticket(BaseAuthentication):
    """`?ticket=…` in place of a header, for a browser's EventSource: once, within 30 s, in the dialect that
    gave it."""

    schemes: ClassVar = {"ticket": {"type": "apiKey", "in": "query", "name": "ticket"}}
    dialect: ClassVar[str]

    def authenticate(self, request: Request) -> tuple[Caller, Again] | None:
        secret = request.query_params.get("ticket")
        if not secret or request.method == "HEAD":
            return None
        try:
            return redeem_ticket(secret, dialect=self.dialect)
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
