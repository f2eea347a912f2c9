"""The worker's part of webhooks: hands events out, attempts what is due, writes down what came of it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from conversations.feed import Feed

from . import claims
from .calling import Caller, Outcome
from .claims import Job, Room
from .dialing import Resolve
from .finishing import finish
from .handing import Render, hand_out
from .passes import Gates, Pass
from .secrets import Unreadable
from .signing import live_secrets

POLL = 0.2  # seconds between two looks at the database, where nobody wakes it
_PAUSE = 1.0  # seconds after an error of the database

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Deliverer:
    """Any number of them may run, in any number of processes. `render` makes bodies (see handing.Render). For one
    run."""

    def __init__(self, render: Render, *, resolve: Resolve | None = None) -> None:
        self._render, self._resolve = render, resolve
        self._room = Room()
        self._results: list[tuple[Job, Outcome]] = []
        self._unsent: list[Job] = []
        self._gates = Gates()
        self._passes: dict[tuple[int, UUID], Pass] = {}  # by lane and claim
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handing, self._turn = asyncio.Event(), asyncio.Event()

    def wake(self) -> None:
        """There may be new events. From any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(self._handing.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, and then until what was begun is answered or cut off, and written down."""
        self._loop = asyncio.get_running_loop()
        self._caller = Caller(self._resolve)
        handing = ThreadPoolExecutor(1, "webhook-handing")
        queue = ThreadPoolExecutor(1, "webhook-queue")
        try:
            await asyncio.gather(self._hand_out(stop, handing), self._attempt(stop, queue))
        finally:
            self._loop = None
            await self._caller.close()
            for threads in (handing, queue):
                await asyncio.get_running_loop().run_in_executor(threads, lambda: connection.close())
                threads.shutdown()

    async def _hand_out(self, stop: asyncio.Event, thread: ThreadPoolExecutor) -> None:
        feed = Feed(0)
        while not stop.is_set():
            self._handing.clear()
            read = await self._in(thread, hand_out, feed, self._render)
            if read is None:
                await _either(stop, timeout=_PAUSE)
            elif read:
                self._turn.set()
            else:
                await _either(stop, self._handing, timeout=POLL)

    async def _attempt(self, stop: asyncio.Event, thread: ThreadPoolExecutor) -> None:
        looked = 0.0
        while not stop.is_set() or self._tasks or self._results or self._unsent:
            self._turn.clear()
            await self._write_down(thread, go_on=not stop.is_set())
            now = time.monotonic()
            if not stop.is_set() and now - looked >= POLL / 4:
                looked = now
                jobs = await self._in(thread, claims.claim, self._room, self._render)
                if jobs is None:
                    await _either(stop, timeout=_PAUSE)
                for job in jobs or ():
                    self._begin(job)
            if not self._results:
                await _either(self._turn, timeout=POLL if not stop.is_set() else POLL / 4)

    async def _write_down(self, thread: ThreadPoolExecutor, *, go_on: bool) -> None:
        if results := self._results:
            self._results = []
            jobs = await self._in(thread, self._finish, results, go_on)
            if jobs is None:  # nothing is lost: it is written down when the database is there again
                self._results = results + self._results
                await asyncio.sleep(_PAUSE)
                return
            for job, outcome in results:
                if outcome.is_taken:
                    self._gates.took(job.endpoint.pk)
            self._leave([job for job, _ in results])
            for job in jobs:
                self._room.enter(job.endpoint.pk, job.endpoint.client_id)
                self._begin(job)
        if unsent := self._unsent:
            self._unsent = []
            await self._in(thread, claims.give_back, unsent)  # else they are free when the claim is over
            self._leave(unsent)

    def _finish(self, results: list[tuple[Job, Outcome]], go_on: bool) -> list[Job]:
        """One that cannot be written down (its conversation is being removed, say) does not hold up the others:
        it is attempted again when its claim is over."""
        try:
            return finish(results, self._render, go_on=go_on)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            if len(results) == 1:
                logger.exception("delivery %s cannot be written down", results[0][0].delivery.uuid)
                return []
        return [job for one in results for job in self._finish([one], go_on)]

    def _leave(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._passes.pop((job.lane, job.claim)).give_back()
            self._room.leave(job.endpoint.pk, job.endpoint.client_id)
            if not self._room.endpoints[job.endpoint.pk]:
                self._gates.drop(job.endpoint.pk)

    def _begin(self, job: Job) -> None:
        self._passes[job.lane, job.claim] = self._gates.enter(job.endpoint.pk)
        self._start(self._call(job))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, job: Job) -> None:
        own = self._passes[job.lane, job.claim]
        await own.take()
        try:
            if time.monotonic() > job.begin_until or self._gates.is_held(job.endpoint.pk):
                self._unsent.append(job)
                return
            outcome = await self._outcome(job)
            if outcome.asked_hold:  # those that were claimed with it are not begun
                self._gates.hold(job.endpoint.pk, outcome.asked_hold)
            if outcome.is_taken:
                own.keep()
            else:
                own.give_back()
            self._results.append((job, outcome))
        finally:
            self._turn.set()

    async def _outcome(self, job: Job) -> Outcome:
        try:
            secrets = live_secrets(job.endpoint, timezone.now())
        except Unreadable:
            return Outcome(timezone.now(), error="not sent: its secret was encrypted with another SECRET_KEY")
        endpoint, delivery = job.endpoint, job.delivery
        return await self._caller.call(endpoint.url, delivery.uuid, delivery.body, secrets, endpoint.client_id)

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[..., T], *given: Any) -> T | None:
        """Of the database, in its own thread. None: it failed, which is in the log."""

        def guarded() -> T | None:
            try:
                return work(*given)
            except Exception:
                logger.exception("webhooks: %s failed", getattr(work, "__name__", "work"))
                with contextlib.suppress(Exception):
                    connection.close()
                return None

        return await asyncio.get_running_loop().run_in_executor(thread, guarded)


async def _either(*events: asyncio.Event, timeout: float) -> None:
    """Waits until one of them is set, or so many seconds have passed."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
