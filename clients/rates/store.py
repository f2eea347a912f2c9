"""What a store of counts is."""

import math
from dataclasses import dataclass
from typing import Protocol

WINDOW = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """Whose calls of which kind, and how many a minute."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a limit after a call, let in or refused."""

    limit: Limit
    accepted: bool
    spent: int
    #: The window's end, in seconds since 1970, and how long that is from now.
    ends: float
    left: float

    @property
    def remaining(self) -> int:
        return max(self.limit.most - self.spent, 0)

    @property
    def wait(self) -> int:
        """Whole seconds after which a new window has begun."""
        return max(math.ceil(self.left), 1)


class Store(Protocol):
    def spend(self, limit: Limit, unless: Limit | None) -> Standing: ...


def runs(ends: float, now: float) -> bool:
    """Whether a window is open. One that is to last long was begun before the clock was set back."""
    return now < ends <= now + 2 * WINDOW
