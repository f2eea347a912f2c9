"""What the writes of people have in common: one may take an id or an address at the same moment as another."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, models, transaction

from chatplatform.errors import Conflict

TAKEN = "Somebody has this already."


def save_unique(row: models.Model, taken: Callable[[], Iterable[str]], **how: Any) -> None:
    """Saves a row of a unique kind. Raises Conflict, which names the columns that `taken` finds."""
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        columns = list(taken())
        if not columns:
            raise
        raise already_taken(columns) from error


def already_taken(columns: Iterable[str]) -> Conflict:
    return Conflict("Already taken", fields={column: [TAKEN] for column in columns})


def set_changed(row: models.Model, values: dict[str, Any]) -> list[str]:
    """Gives the row these values and answers the columns that differ from before."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed
