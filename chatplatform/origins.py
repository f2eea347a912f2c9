"""Origins: whose pages in a browser may call us. Apart, because the settings are read before apps are loaded."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from marshmallow import ValidationError

#: As browsers write them: lower case, without a path, without the scheme's own port.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?", re.ASCII)
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*")
_COOKIE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def origins(given: Sequence[str]) -> None:
    """For the settings: each is an origin and nothing that merely looks like one."""
    for text in given:
        scheme = text.partition(":")[0]
        if not _ORIGIN.fullmatch(text) or text.endswith(_DEFAULT_PORT[scheme]):
            raise ValidationError(f"{text!r} is no origin; an example: https://app.example.com")


def cookie_name(text: str) -> None:
    """For the settings."""
    if not _COOKIE_NAME.fullmatch(text):
        raise ValidationError("a cookie's name is 1 to 64 letters, digits and _ . -")


def web_address(text: str) -> None:
    """For the settings: nothing, or what a link can begin with."""
    if text and not _WEB_ADDRESS.fullmatch(text):
        raise ValidationError("must begin with http:// or https:// and a host")


def limits_among(known: Collection[str]) -> Callable[[Mapping[str, int]], None]:
    """For the settings: these names, each with a number of calls."""

    def check(given: Mapping[str, int]) -> None:
        for name, most in given.items():
            if name not in known or not 0 < most <= 1_000_000_000:
                raise ValidationError(f"{name}={most}: known are {', '.join(known)}, each at least 1")

    return check


def redis_address(text: str) -> None:
    """For the settings: nothing, or where a Redis server answers."""
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValidationError("must begin with redis://, rediss:// or unix://")


def is_listed(origin: str) -> bool:
    """Whether the settings name it, letter by letter."""
    return origin in settings.CORS_ALLOWED_ORIGINS


def is_ours(origin: str, request: HttpRequest) -> bool:
    """Whether it is this server's own: the same scheme, host and port as the request came to."""
    try:
        host = request.get_host().lower()
    except DisallowedHost:
        return False
    scheme = "https" if settings.HTTPS or request.is_secure() else "http"
    return origin == f"{scheme}://{host.removesuffix(_DEFAULT_PORT[scheme])}"
