"""Names and passwords, and the lock after repeated wrong ones."""

from collections.abc import Iterator
from contextlib import contextmanager

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_ip_address, get_client_username, get_cool_off
from axes.utils import reset
from django.contrib.auth import authenticate
from django.http import HttpRequest

from chatplatform.db.alone import in_turn, number_of

from .models import User


class LockedOut(Exception):
    """Too many failures of this name at this address; `wait` is in seconds."""

    def __init__(self, wait: float | None) -> None:
        super().__init__("Too many failed attempts")
        self.wait = wait


@contextmanager
def one_try_at_a_time(request: HttpRequest, login: str) -> Iterator[None]:
    """Tries of one name at one address take turns, in whatever process: each knows how those before it
    ended, so that of many at once no more than five are let guess. What fails in it must not be raised
    out of it, else it is not counted."""
    name = get_client_username(request, {"username": login})
    with in_turn(number_of("log-in", get_client_ip_address(request) or "", name or "")):
        yield


def user_with_password(request: HttpRequest, login: str, password: str) -> User | None:
    """The user; None for an unknown name, a wrong password and a disabled user. After five failures in a
    row of one name at one address the next try is refused for a while. Raises LockedOut."""
    credentials = {"username": login}
    with one_try_at_a_time(request, login):
        if not AxesProxyHandler.is_allowed(request, credentials):
            cool_off = get_cool_off(request)
            raise LockedOut(cool_off.total_seconds() if cool_off else None)
        user = authenticate(request, username=login, password=password)
        if not isinstance(user, User):
            return None
        # Django's own signal of a log-in, on which this would happen by itself, belongs to sessions.
        reset(ip=get_client_ip_address(request), username=get_client_username(request, credentials))
        return user
