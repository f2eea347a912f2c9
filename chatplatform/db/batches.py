"""Many things a part at a time: no statement has too many parameters, no list is too long."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """In lists of at most `size`, as they come."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
