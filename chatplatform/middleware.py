"""The few things that every request passes through, and those that only the admin needs."""

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult

from axes.middleware import AxesMiddleware
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware

from .origins import is_listed
from .requestid import current_request_id

ADMIN_PREFIX = "/admin"
_FORM = 1024 * 1024  # bytes of a form beside its file
_SANE_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def client_address(request: HttpRequest) -> str:
    """The caller's address; X-Forwarded-For counts only for as many proxies as are ours."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return request.META.get("REMOTE_ADDR", "")


def _length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or ""
    return int(given) if given.isascii() and given.isdigit() else 0


class RequestGuard:
    """Gives each request its id, and drops what PostgreSQL would choke on before anyone reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        identifier = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        token = current_request_id.set(identifier)
        try:
            # `Cookie: sessionid="\000…"` decodes to a NUL that would reach a query.
            for name, value in list(request.COOKIES.items()):
                if _CONTROL.search(value):
                    del request.COOKIES[name]
            if request.path.startswith(ADMIN_PREFIX) and (
                "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path
            ):
                response: HttpResponse = HttpResponseBadRequest("NUL characters are not accepted.")
            elif request.path.startswith(ADMIN_PREFIX) and _length(request) > settings.UPLOAD_LIMIT + _FORM:
                response = HttpResponse("The file is too large.", status=413, content_type="text/plain")
            else:
                response = self.get_response(request)
            response["X-Request-Id"] = identifier
            return response
        finally:
            current_request_id.reset(token)


class Cors(CorsMiddleware):
    """Listed origins are allowed letter by letter; the library's own look forgives paths and spaces."""

    def origin_found_in_white_lists(self, origin: str, url: SplitResult) -> bool:
        return is_listed(origin)


def _admin_only(base: type) -> type:
    """`base` for the admin's pages; the dialects keep neither sessions nor messages and skip it."""

    def call(self: Any, request: HttpRequest) -> Any:
        if request.path.startswith(ADMIN_PREFIX):
            return base.__call__(self, request)
        return self.get_response(request)

    body: dict[str, Any] = {"__call__": call, "__doc__": base.__doc__}
    if hasattr(base, "process_view"):

        def process_view(self: Any, request: HttpRequest, *args: Any) -> Any:
            return base.process_view(self, request, *args) if request.path.startswith(ADMIN_PREFIX) else None  # type: ignore[attr-defined]

        body["process_view"] = process_view
    return type(f"Admin{base.__name__}", (base,), body)


AdminSession = _admin_only(SessionMiddleware)
AdminLocale = _admin_only(LocaleMiddleware)
AdminCsrf = _admin_only(CsrfViewMiddleware)
AdminAuthentication = _admin_only(AuthenticationMiddleware)
AdminMessages = _admin_only(MessageMiddleware)
AdminFrames = _admin_only(XFrameOptionsMiddleware)
AdminAxes = _admin_only(AxesMiddleware)
