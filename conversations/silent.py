"""Changes of conversations that no event tells: an erasure, the end of a retention.

Whoever keeps something that was worked out from conversations learns of them here; of all else, from the log.
"""

from collections.abc import Callable, Collection

#: Called with the ids within the transaction of the change, while the rows are still there (their `apps.py` add them).
listeners: list[Callable[[Collection[int]], None]] = []


def changed_silently(ids: Collection[int]) -> None:
    for tell in listeners:
        tell(ids)
