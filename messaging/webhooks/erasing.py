"""What deliveries say of a person that is erased."""

from collections.abc import Collection

from django.db import connection

from chatplatform.db.alone import number_of

from ..webhook_models import WebhookAttempt, WebhookDelivery

#: Shared by those who make bodies, held alone by whoever erases what they are made of.
NUMBER = number_of("webhooks: bodies")


def wait_for_bodies() -> None:
    """Within a transaction: no body is being made of what is about to be erased, and none is until it ends. SQLite
    has one writer at a time: so it is."""
    _take("pg_advisory_xact_lock")


def may_make_bodies() -> bool:
    """Within a transaction: True, and nothing is erased until it ends; or False, something is being erased. Whoever
    asks may hold rows, so nobody waits here."""
    return _take("pg_try_advisory_xact_lock_shared") is not False


def _take(function: str) -> bool | None:
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s::bigint)", [NUMBER])
        found = cursor.fetchone()[0]
    return found if isinstance(found, bool) else None


def erase(conversations: Collection[int]) -> None:
    """Of these conversations: bodies, which are made anew where they are to be sent, and what receivers said."""
    deliveries = WebhookDelivery.objects.filter(conversation__in=conversations).order_by()
    WebhookAttempt.objects.filter(delivery__in=deliveries.values("pk")).order_by().update(
        response_headers={}, response_body=""
    )
    deliveries.exclude(body="").update(body="")
