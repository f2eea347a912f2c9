"""The process: each part in a thread of its own, until one dies or a signal comes."""

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection, connections
from django.utils import timezone

from analytics import folding

from . import lease
from .beat import Beat
from .executor import Executor
from .jobs import JOBS
from .stopping import stop
from .webhooks import deliver

logger = logging.getLogger("chatplatform.worker")
DRAIN = 30.0  # seconds that what runs may take when the worker ends
_LOOK = 1.0  # seconds between two looks at a queue that was empty
_FOLD = 2.0  # … at what the dashboards do not have yet
_AWAY = 1.0  # … at a database that was away
_CONNECTIONS = 7  # to PostgreSQL, besides one for each task: schedule, figures, webhooks' three, retention's two locks

Part = Callable[[], None]


def run() -> int:
    """Until SIGTERM or SIGINT: 0; 1 where a part died."""
    worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    executor, beat = Executor(worker), Beat(JOBS)

    def hold() -> bool:
        lease.beat(worker)
        lease.take_over(executor)
        beat.step(timezone.now())
        return False

    parts: dict[str, Part] = {"schedule": lambda: repeat(hold, settings.WORKER_LEASE / 8), "webhooks": deliver}
    parts["figures"] = lambda: repeat(lambda: not folding.catch_up(_FOLD), _FOLD)
    for number in range(settings.WORKER_THREADS):
        parts[f"tasks {number + 1}"] = lambda: repeat(executor.step, _LOOK)
    if pool := connection.settings_dict["OPTIONS"].get("pool"):
        pool["max_size"] = settings.WORKER_THREADS + _CONNECTIONS
    _wait_for(lambda: lease.beat(worker))
    logger.info("worker %s began", worker)
    code = serve(parts)
    try:
        lease.leave(worker)
    except OperationalError:
        logger.warning("the database is away; the lease ends by itself")
    logger.info("worker %s ended", worker)
    return code


def serve(parts: dict[str, Part]) -> int:
    """Runs the parts; the process's exit code."""
    ended: SimpleQueue[str] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.put(""))
    for name, part in parts.items():
        threading.Thread(target=_body, args=(name, part, ended), name=name, daemon=True).start()
    left, first = set(parts), ended.get()
    stop.set()
    left.discard(first)
    deadline = time.monotonic() + DRAIN
    while left:
        try:
            left.discard(ended.get(timeout=max(deadline - time.monotonic(), 0)))
        except Empty:
            logger.warning("still busy after %d s, left to the next worker: %s", DRAIN, ", ".join(sorted(left)))
            break
    return 1 if first else 0


def _body(name: str, part: Part, ended: SimpleQueue[str]) -> None:
    try:
        part()
    except BaseException:
        logger.critical("%s died, and the worker with it", name, exc_info=True)
    finally:
        connections.close_all()
        ended.put(name)


def repeat(step: Callable[[], bool], pause: float) -> None:
    """Again at once where it did something, else after the pause (seconds); a database that is away is waited for."""
    while not stop.is_set():
        try:
            if not step():
                stop.wait(pause)
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database does not answer: %s", error)
            stop.wait(_AWAY)
        finally:
            close_old_connections()


def _wait_for(step: Callable[[], None]) -> None:
    """Until it succeeds; a signal ends the process here."""
    while True:
        try:
            step()
            return
        except OperationalError as error:
            logger.warning("the database does not answer: %s", error)
            time.sleep(_AWAY)
        finally:
            close_old_connections()
