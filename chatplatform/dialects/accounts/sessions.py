from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from clients.credentials import BadCredential, end_log_in, issue_tokens, rotate_refresh_token

from .. import cookies
from ..credentials import bearer_token
from ..operations import operation
from . import inputs, shapes
from .tokens import log_in
from .view import View


class Sessions(View):
    """A log-in that the browser keeps in cookies which no script can read."""

    permission_classes = [cookies.OfOurPages]

    @operation("Log in with cookies", body=inputs.LogIn, answer=shapes.WithCookies, problems=(401, 403, 429))
    def create(self, request: Request) -> Response:
        user = log_in(request, **self.body())
        response = Response({"user": shapes.person(user)})
        cookies.give(response, issue_tokens(user))
        return response

    @operation("Renew the cookies", answer=shapes.WithCookies, problems=(401, 403))
    def refresh(self, request: Request) -> Response:
        secret = cookies.refresh_cookie(request)
        if secret is None:
            raise NotAuthenticated
        try:
            pair, user = rotate_refresh_token(secret)
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error
        response = Response({"user": shapes.person(user)})
        cookies.give(response, pair)
        return response

    @operation("Log out", body=inputs.LogOut, answer=None, status=204, problems=(403,))
    def destroy(self, request: Request) -> Response:
        """Ends every log-in of which a token is shown: by cookie, as Bearer token, in the body."""
        shown = [token for token in (bearer_token(request), self.body().get("refresh")) if token]
        end_log_in(*cookies.all_of(request), *shown)
        response = Response(status=204)
        cookies.take_back(response)
        return response
