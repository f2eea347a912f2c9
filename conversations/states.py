"""The state machine of a conversation (contract `workspace`)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    NEW = "new", _("New")
    ACTIVE = "active", _("Active")
    WAITING = "waiting_for_customer", _("Waiting for customer")
    ESCALATED = "escalated", _("Escalated")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


_OPEN = (Status.ACTIVE, Status.WAITING, Status.ESCALATED)
_ENDS = (Status.RESOLVED, Status.CLOSED)

ALLOWED: dict[str, frozenset[str]] = {
    Status.NEW: frozenset({*_OPEN, *_ENDS}),
    **{state: frozenset({*_OPEN, *_ENDS} - {state}) for state in _OPEN},
    Status.RESOLVED: frozenset({Status.ACTIVE, Status.CLOSED}),
    Status.CLOSED: frozenset(),
}

#: `finishedChat` of `whatsapp`
FINISHED = frozenset(_ENDS)
#: What the desk calls open.
OPEN = (Status.NEW, *_OPEN)

#: What a message does to the state: by a customer, by an agent or bot.
AFTER_CUSTOMER = {Status.RESOLVED: Status.ACTIVE, Status.WAITING: Status.ACTIVE}
AFTER_AGENT = {Status.NEW: Status.ACTIVE}
