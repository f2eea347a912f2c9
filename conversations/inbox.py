"""The lists that staff work from: what each has, in which order, and how many there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerField, Q, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.callers import Caller
from clients.models import Client

from .models import Conversation
from .models.conversation import AT_HAND
from .querysets import ConversationQuerySet
from .states import FINISHED, Status

#: Rows that are counted for the number beside a list.
COUNTED = 10_000
NEWEST = ("-activity_at", "-id")


@dataclass(frozen=True)
class View:
    """`rows` are those of the list, from all that a caller may see."""

    name: str
    label: str | Promise
    rows: Callable[[ConversationQuerySet, Caller], ConversationQuerySet]
    order: tuple[str, ...] = NEWEST
    #: Something is wrong where it is not empty.
    alarming: bool = False


def _at_hand(rows: ConversationQuerySet, _caller: Caller) -> ConversationQuerySet:
    return rows.filter(AT_HAND).filter(Q(snoozed_until=None) | Q(snoozed_until__lte=timezone.now()))


def _mine(rows: ConversationQuerySet, caller: Caller) -> ConversationQuerySet:
    return _at_hand(rows, caller).filter(assigned_agent=caller.agent_id) if caller.agent_id else rows.none()


def _unassigned(rows: ConversationQuerySet, caller: Caller) -> ConversationQuerySet:
    return _at_hand(rows, caller).filter(assigned_agent=None)


def _waiting(rows: ConversationQuerySet, caller: Caller) -> ConversationQuerySet:
    return _at_hand(rows, caller).filter(waiting_since__isnull=False)


def _escalated(rows: ConversationQuerySet, caller: Caller) -> ConversationQuerySet:
    return _at_hand(rows, caller).filter(status=Status.ESCALATED)


def _flagged(rows: ConversationQuerySet, _caller: Caller) -> ConversationQuerySet:
    return rows.filter(is_flagged=True)


def _snoozed(rows: ConversationQuerySet, _caller: Caller) -> ConversationQuerySet:
    return rows.filter(AT_HAND, snoozed_until__gt=timezone.now())


def _all(rows: ConversationQuerySet, _caller: Caller) -> ConversationQuerySet:
    return rows


def _finished(rows: ConversationQuerySet, _caller: Caller) -> ConversationQuerySet:
    return rows.filter(status__in=FINISHED)


VIEWS = {
    view.name: view
    for view in (
        View("open", _("All open"), _at_hand),
        View("mine", pgettext_lazy("conversations", "Mine"), _mine),
        View("unassigned", pgettext_lazy("conversations", "Unassigned"), _unassigned),
        View("waiting", _("Waiting longest"), _waiting, ("waiting_since", "id")),
        View("escalated", pgettext_lazy("conversations", "Escalated"), _escalated, alarming=True),
        View("flagged", pgettext_lazy("conversations", "Flagged"), _flagged),
        View("snoozed", pgettext_lazy("conversations", "Snoozed"), _snoozed, ("snoozed_until", "id")),
        View("closed", pgettext_lazy("conversations", "Closed"), _finished),
        View("all", pgettext_lazy("conversations", "All"), _all),
    )
}


class _Counted(Subquery):
    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts(caller: Caller, client_id: int) -> dict[str, int]:
    """How many conversations of a client each list has, as the caller sees them: exact up to COUNTED, which stands
    for more. One query, over indexes; it reads no more rows than that."""
    visible: Any = Conversation.objects.visible_to(caller).filter(client=client_id)
    lists = {
        name: _Counted(view.rows(visible, caller).order_by().values("pk")[:COUNTED]) for name, view in VIEWS.items()
    }
    found: dict[str, int] = Client.objects.filter(pk=client_id).values(**lists).get()
    return {name: found[name] or 0 for name in VIEWS}  # a list that is empty by its own rule counts null
