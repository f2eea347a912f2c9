"""What need not be done before the answer: on one thread of this process, with its own connection.

What waits here is lost with the process: only for what somebody would ask for again.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

from django.db import connections

logger = logging.getLogger("chatplatform.background")
_WAITING = 200

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")
_places = BoundedSemaphore(_WAITING)
_latest: "Future[None] | None" = None


def soon(call: Callable[..., Any], *given: Any) -> None:
    """Does `call` in a moment; its errors are logged. Where too much waits already it is not done."""
    global _latest
    if not _places.acquire(blocking=False):
        logger.error("%s is left out: %d calls wait already", call.__name__, _WAITING)
        return
    _latest = _thread.submit(_do, call, given)


def settled() -> None:
    """Waits until all of it is done."""
    if _latest is not None:
        _latest.result()


def _do(call: Callable[..., Any], given: tuple[Any, ...]) -> None:
    try:
        call(*given)
    except Exception:
        logger.exception("%s failed", call.__name__)
    finally:
        connections.close_all()
        _places.release()
