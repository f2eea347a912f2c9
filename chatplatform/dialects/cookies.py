"""A log-in that a browser keeps in cookies: giving, renewing and taking them back, and whose pages may
send them (contract `rooms`, "Decided")."""

from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform import origins
from chatplatform.errors import Forbidden
from clients.callers import Caller
from clients.credentials import BadCredential, Expired, TokenPair, caller_of_access_token, rotate_refresh_token

from .credentials import SAFE_METHODS, Again, user_of_access_token

#: The narrowest that both `rooms`, where a call renews the cookies, and `accounts` are under.
PATH = "/api"


def give(response: Response, pair: TokenPair) -> None:
    _set(response, settings.ACCESS_COOKIE, pair.access, int(settings.ACCESS_TOKEN_LIFETIME.total_seconds()))
    _set(response, settings.REFRESH_COOKIE, pair.refresh, int(settings.REFRESH_TOKEN_LIFETIME.total_seconds()))


def take_back(response: Response) -> None:
    _set(response, settings.ACCESS_COOKIE, "", 0)
    _set(response, settings.REFRESH_COOKIE, "", 0)


def give_renewed(request: Any, response: Response) -> None:
    """The new cookies of a call that came with expired ones, whatever its answer is."""
    pair = getattr(request, "renewed", None)
    if pair is not None:
        give(response, pair)


def _set(response: Response, name: str, value: str, max_age: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=PATH,
        domain=settings.COOKIE_DOMAIN,
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite=settings.COOKIE_SAMESITE,  # type: ignore[arg-type]
    )


def access_cookie(request: Request) -> str | None:
    return _cookie(request, settings.ACCESS_COOKIE)


def refresh_cookie(request: Request) -> str | None:
    return _cookie(request, settings.REFRESH_COOKIE)


def all_of(request: Request) -> set[str]:
    """Every token that came in our cookies, for a log-out: however many of one name there are."""
    return {value for name in (settings.ACCESS_COOKIE, settings.REFRESH_COOKIE) for value in _values(request, name)}


def _cookie(request: Request, name: str) -> str | None:
    """Its value. Of two values, one came from elsewhere (a page of a sister domain can set cookies for
    us), and nothing tells which: neither is believed."""
    if len(_values(request, name)) > 1:
        raise AuthenticationFailed("Token is invalid or expired")
    return request._request.COOKIES.get(name) or None


def _values(request: Request, name: str) -> set[str]:
    parts = [part.strip().partition("=") for part in request.META.get("HTTP_COOKIE", "").split(";")]
    return {value for key, _, value in parts if key == name}


def refuse_other_sites(request: Request) -> None:
    """Browsers add cookies to what any page asks for. Without a secret token in the page, what tells
    ours from others' is Origin, else Sec-Fetch-Site; a caller with neither is no browser.

    An old browser sends neither, but forms: they have no JSON content type.
    """
    if not _of_our_pages(request):
        raise Forbidden("Not from this origin")
    if request.method not in SAFE_METHODS and request.method != "DELETE" and _has_cookies(request):
        kind = request.content_type.partition(";")[0].strip().lower()
        if kind and kind != "application/json":
            raise UnsupportedMediaType(request.content_type)


def _has_cookies(request: Request) -> bool:
    return not {settings.ACCESS_COOKIE, settings.REFRESH_COOKIE}.isdisjoint(request._request.COOKIES)


def _of_our_pages(request: Request) -> bool:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None:
        return origins.is_listed(origin) or origins.is_ours(origin, request._request)
    if site is None or site == "same-origin":
        return True
    # A link that was followed or typed; what a listed page fetches has an Origin.
    return request.method in SAFE_METHODS and request.headers.get("Sec-Fetch-Mode") == "navigate"


class OfOurPages(BasePermission):
    """For calls that give, renew or take back cookies, whether or not one comes along."""

    def has_permission(self, request: Request, view: Any) -> bool:
        refuse_other_sites(request)
        return True


class UserCookie(BaseAuthentication):
    """A user's JWT in a cookie. An expired one is renewed on the way, with the refresh cookie."""

    schemes: ClassVar = {"userCookie": {"type": "apiKey", "in": "cookie", "name": settings.ACCESS_COOKIE}}

    def authenticate(self, request: Request) -> tuple[Caller, Again] | None:
        if not _has_cookies(request):
            return None
        refuse_other_sites(request)
        try:
            caller, access = self._caller(request)
        except BadCredential as error:
            raise AuthenticationFailed("Token is invalid or expired") from error
        return caller, partial(caller_of_access_token, access, fresh=True)

    def _caller(self, request: Request) -> tuple[Caller, str]:
        """And the access token that says so."""
        access, refresh = access_cookie(request), refresh_cookie(request)
        try:
            if access is not None:
                return user_of_access_token(access, request.method), access
        except Expired:
            if refresh is None:
                raise
        if refresh is None:
            raise BadCredential
        pair, _ = rotate_refresh_token(refresh)
        request.renewed = pair  # type: ignore[attr-defined]
        return caller_of_access_token(pair.access), pair.access

    def authenticate_header(self, request: Request) -> str:
        return "Cookie"
