from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from django.db import DataError, IntegrityError

Item = TypeVar("Item")
Done = TypeVar("Done")


def by_halves(
    batch: Sequence[Item], write: Callable[[Sequence[Item]], Done], refuse: Callable[[Item, str], None]
) -> Iterator[tuple[Sequence[Item], Done]]:
    """What the database refuses in spite of all checks is found by halves, so that the rest goes in.

    Answers each part that was written, with what `write` says of it.
    """
    if not batch:
        return
    try:
        done = write(batch)
    except (DataError, IntegrityError) as error:
        if len(batch) == 1:
            refuse(batch[0], f"the database refuses it: {str(error).splitlines()[0]}")
            return
        middle = len(batch) // 2
        yield from by_halves(batch[:middle], write, refuse)
        yield from by_halves(batch[middle:], write, refuse)
        return
    yield batch, done
