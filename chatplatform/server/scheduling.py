"""Where calls are taken from Granian: two names of its own, which it may take away with any version.

It has no public way to be given calls outside of an event loop (front.py says what that costs). The version
is pinned; `ensure_known` says at the start what would otherwise be seen at the first call.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from granian.server import mp

#: Of `granian.server.mp`: called once in each process, makes what the server calls for each request.
_MAKER = "_new_cbscheduler"


class NotKnown(Exception):
    """This Granian is not the one that we know."""


def ensure_known() -> None:
    """Raises NotKnown."""
    if not hasattr(_base(), "_schedule_fn"):
        raise NotKnown(_message("granian._granian.CallbackScheduler._schedule_fn"))
    if not hasattr(mp, _MAKER):
        raise NotKnown(_message(f"granian.server.mp.{_MAKER}"))


def give_calls_to(take: Callable[[Any], None]) -> None:
    """Before the server begins to accept: `take` is called with each request, in a thread of Granian's."""
    ensure_known()

    class Scheduler(_base()):  # type: ignore[misc]
        __slots__ = ()

        def __init__(self, *_: Any) -> None:
            super().__init__()
            self._schedule_fn = take  # type: ignore[misc]  # the slot is the base's

    setattr(mp, _MAKER, lambda loop, callback, **_: Scheduler(loop, callback, None, None, None))


def _base() -> Any:
    try:
        from granian._granian import CallbackScheduler
    except ImportError as error:
        raise NotKnown(_message("granian._granian.CallbackScheduler")) from error
    return CallbackScheduler


def _message(name: str) -> str:
    return f"Granian {version('granian')} has no {name}; install the version that requirements.txt names"
