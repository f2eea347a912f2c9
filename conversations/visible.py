"""The visibility rule on the hot paths: compiled once for each kind of caller.

`ConversationQuerySet.visible_to` stays the only place of the rule: here it is given a caller whose ids
are parameters, and what it answers is compiled (see `chatplatform.db.prepared`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from chatplatform.db.prepared import Count, Rows, integer, uuid
from clients.callers import Caller

from .models import Conversation
from .querysets import ConversationQuerySet

_CLIENT, _USER = integer("client"), integer("user")
#: A caller of each kind that sees by the same statement, whoever it is.
_TEMPLATES: dict[str, Caller] = {
    "all": Caller(client_id=None, is_superuser=True),
    "client": Caller(client_id=_CLIENT, is_system=True),  # type: ignore[arg-type]
    "own": Caller(client_id=_CLIENT, user_id=_USER),  # type: ignore[arg-type]
}


def kind_of(caller: Caller) -> str | None:
    """Which template serves this caller; None for agents with queues, whose rule has their names in it."""
    if caller.only_own and caller.user_id is not None:
        return "own"
    if caller.is_superuser:
        return "all"
    if caller.sees_whole_client:
        return "client"
    return None if caller.is_staff or caller.user_id is None else "own"


class Scoped:
    """One SELECT over the conversations that a caller may see, in as many forms as there are kinds.

    `build` gets the visible rows and makes the query of them; it must not look at the caller.
    """

    def __init__(self, build: Callable[[ConversationQuerySet], QuerySet[Any]], *, paged: bool = False) -> None:
        self._build, self._paged = build, paged
        self._forms = {kind: Rows(partial(self._rows, template), paged=paged) for kind, template in _TEMPLATES.items()}

    def _rows(self, caller: Caller) -> QuerySet[Any]:
        return self._build(Conversation.objects.visible_to(caller))

    def form(self, caller: Caller) -> Rows:
        kind = kind_of(caller)
        if kind is None:  # compiled anew: the names of their queues are part of it
            return Rows(partial(self._rows, caller), paged=self._paged)
        return self._forms[kind]

    def dicts(self, caller: Caller, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query of `values()`."""
        return self.form(caller).dicts(client=caller.client_id, user=caller.user_id, **values)


_COUNTS = {
    kind: Count(partial(Conversation.objects.visible_to, template), cap=10_001) for kind, template in _TEMPLATES.items()
}


def count_visible(caller: Caller, *, cap: int) -> int:
    """How many conversations the caller sees, counted no further than `cap` (at most 10,001)."""
    kind = kind_of(caller)
    if kind is None:
        return Conversation.objects.visible_to(caller).order_by()[:cap].count()
    return min(_COUNTS[kind](client=caller.client_id, user=caller.user_id), cap)


_BY_ID = Scoped(lambda rows: rows.filter(pk=integer("id")).locked().order_by())
_BY_UUID = Scoped(lambda rows: rows.filter(uuid=uuid("id")).locked().order_by())


@dataclass(frozen=True, slots=True)
class Visible:
    """A conversation by its id or uuid, as one caller sees it: for an action to check and lock in one
    statement."""

    id: int | UUID
    caller: Caller

    def lock(self) -> Conversation | None:
        """The locked row, None where it is not there for this caller."""
        extra: tuple[str, ...] = ("rules_version", "search_language")
        if kind_of(self.caller) == "own":
            extra = ("caller_can_write", *extra)
        statement = _BY_UUID if isinstance(self.id, UUID) else _BY_ID
        row: Conversation | None = statement.form(self.caller).first(
            *extra, id=self.id, client=self.caller.client_id, user=self.caller.user_id
        )
        return row
