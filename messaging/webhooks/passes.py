"""How many calls of an endpoint a worker may just have begun.

A worker that is killed may have had an answer for each of them that it could not write down, and those come twice.
So they are few, or a hundredth of what it has delivered there; one that is not answered quickly lets the next begin.
"""

import asyncio
import time
from collections import Counter

from django.conf import settings

_FEWEST, _MOST = 3, 16
_SHARE = 100
_MOMENT = 1 / 15  # of an attempt's time


class Gates:
    """By endpoint."""

    def __init__(self) -> None:
        self._gates: dict[int, Gate] = {}
        self._taken: Counter[int] = Counter()
        self._held: dict[int, float] = {}

    def enter(self, endpoint: int) -> "Pass":
        if endpoint not in self._gates:
            self._gates[endpoint] = Gate(_width(self._taken[endpoint]))
        return Pass(self._gates[endpoint])

    def took(self, endpoint: int) -> None:
        """One more was delivered and written down."""
        self._taken[endpoint] += 1
        if gate := self._gates.get(endpoint):
            gate.widen(_width(self._taken[endpoint]))

    def hold(self, endpoint: int, seconds: float) -> None:
        """It asked to be left alone for so long."""
        self._held[endpoint] = max(self._held.get(endpoint, 0.0), time.monotonic() + seconds)

    def is_held(self, endpoint: int) -> bool:
        if (until := self._held.get(endpoint)) is None:
            return False
        if until <= time.monotonic():
            del self._held[endpoint]
            return False
        return True

    def drop(self, endpoint: int) -> None:
        """Nobody is about to call it."""
        self._gates.pop(endpoint, None)


def _width(taken: int) -> int:
    return max(_FEWEST, min(taken // _SHARE, _MOST))


class Gate(asyncio.Semaphore):
    def __init__(self, width: int) -> None:
        super().__init__(width)
        self._width = width

    def widen(self, width: int) -> None:
        while self._width < width:
            self._width += 1
            self.release()


class Pass:
    """One of the few, for a moment at most."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self._held, self._answered = gate, False, False

    async def take(self) -> None:
        await self._gate.acquire()
        self._held = True
        asyncio.get_running_loop().call_later(settings.WEBHOOK_TIMEOUT * _MOMENT, self._let_the_next)

    def keep(self) -> None:
        """It was answered: until that is written down, however long that takes."""
        self._answered = True

    def _let_the_next(self) -> None:
        if not self._answered:
            self.give_back()

    def give_back(self) -> None:
        if self._held:
            self._held = False
            self._gate.release()
