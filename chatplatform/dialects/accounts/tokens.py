from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from clients.credentials import BadCredential, issue_tokens, rotate_refresh_token
from clients.log_ins import LockedOut, user_with_password
from clients.models import User

from ..cookies import UserCookie
from ..credentials import UserToken
from ..operations import operation
from ..permissions import Anyone
from . import inputs, shapes
from .view import View

_REFUSED = "No active account found with the given credentials"


class Tokens(View):
    """Whoever has no credential yet gets one here."""

    permission_classes = [Anyone]

    @operation("Get tokens for a log-in", body=inputs.LogIn, answer=shapes.LoggedIn, problems=(401, 429))
    def create(self, request: Request) -> Response:
        user = log_in(request, **self.body())
        return Response(shapes.token_pair(issue_tokens(user), user))

    @operation("Renew the tokens", body=inputs.Refresh, answer=shapes.Pair, problems=(401,))
    def refresh(self, request: Request) -> Response:
        try:
            pair, _ = rotate_refresh_token(self.body()["refresh"])
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error
        return Response(shapes.refreshed(pair))


class Me(View):
    """By a Bearer token, else by the cookie."""

    authentication_classes = [UserToken, UserCookie]

    @operation("The caller", answer=shapes.Me, problems=(401, 403))
    def retrieve(self, request: Request) -> Response:
        user = self.find(self.all(User).select_related("client"), "User", pk=self.caller.user_id)
        return Response(shapes.me(user))


def log_in(request: Request, *, password: str, email: str = "", username: str = "") -> User:
    """The user; an unknown name, a wrong password and a disabled user are one answer."""
    try:
        user = user_with_password(request._request, email or username, password)
    except LockedOut as error:
        raise Throttled(wait=error.wait) from error
    if user is None:
        raise AuthenticationFailed(_REFUSED)
    return user
