"""Tickets: a log-in for one stream of events, in an address (contract issue 5; docs/events.md)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from . import tokens
from .callers import Caller
from .credentials import BadCredential, caller_of_log_in, claims_of
from .models import StreamTicket, User

LIFETIME = timedelta(seconds=30)
_SWEEP = 100  # rows that one call clears away


@transaction.atomic
def issue_ticket(access: str, *, dialect: str) -> tuple[str, datetime]:
    """A ticket for whose access token this is, and when it expires. Raises BadCredential."""
    claims = claims_of(access, "access")
    user_id = User.objects.filter(uuid=claims["sub"]).values_list("pk", flat=True).first()
    if user_id is None:
        raise BadCredential
    now = timezone.now()
    over = StreamTicket.objects.filter(expires_at__lt=now - LIFETIME).values_list("pk", flat=True)[:_SWEEP]
    StreamTicket.objects.filter(pk__in=list(over)).delete()
    secret = tokens.new_ticket()
    StreamTicket.objects.create(
        digest=tokens.digest(secret),
        dialect=dialect,
        user_id=user_id,
        family=claims["fam"],
        version=claims["ver"],
        ends_at=datetime.fromtimestamp(claims["exp"], UTC),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return secret, now + LIFETIME


def redeem_ticket(secret: str, *, dialect: str) -> tuple[Caller, Callable[[], Caller]]:
    """Whose it is, and how to ask that anew, as long as the log-in lasts that asked for it. Of any number of
    concurrent uses one wins. Raises BadCredential."""
    now = timezone.now()
    rows = StreamTicket.objects.filter(digest=tokens.digest(secret), dialect=dialect)
    if not rows.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        raise BadCredential
    again = partial(_caller_of, rows.get())
    return again(), again


def _caller_of(ticket: StreamTicket) -> Caller:
    if ticket.ends_at <= timezone.now():
        raise BadCredential
    users = User.objects.filter(pk=ticket.user_id, token_version=ticket.version)
    return caller_of_log_in(users, str(ticket.family))
