from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_username, get_cool_off
from axes.utils import reset
from django.contrib.auth import authenticate
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.middleware import client_address
from clients.credentials import BadCredential, issue_tokens, rotate_refresh_token
from clients.models import User

from ..base import UserToken
from ..permissions import Anyone
from . import inputs, shapes
from .view import View

_REFUSED = "No active account found with the given credentials"


class Tokens(View):
    """Whoever has no credential yet gets one here."""

    permission_classes = [Anyone]

    def create(self, request: Request) -> Response:
        given = self.body(inputs.LogIn)
        user = log_in(request, given.get("email") or given["username"], given["password"])
        return Response(shapes.token_pair(issue_tokens(user), user))

    def refresh(self, request: Request) -> Response:
        try:
            pair, _ = rotate_refresh_token(self.body(inputs.Refresh)["refresh"])
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error
        return Response(shapes.refreshed(pair))


class Me(View):
    authentication_classes = [UserToken]

    def retrieve(self, request: Request) -> Response:
        user = self.find(self.all(User).select_related("client"), "User", pk=self.caller.user_id)
        return Response(shapes.me(user))


def log_in(request: Request, login: str, password: str) -> User:
    """The user; an unknown name, a wrong password and a disabled user are one answer. After five
    failures in a row of one name at one address the next try is refused for a while."""
    http_request = request._request
    credentials = {"username": login}
    if not AxesProxyHandler.is_allowed(http_request, credentials):
        cool_off = get_cool_off(http_request)
        raise Throttled(wait=cool_off.total_seconds() if cool_off else None)
    user = authenticate(http_request, username=login, password=password)
    if not isinstance(user, User):
        raise AuthenticationFailed(_REFUSED)
    # Django's own signal of a log-in, on which this would happen by itself, belongs to sessions.
    reset(ip=client_address(http_request), username=get_client_username(http_request, credentials))
    return user
