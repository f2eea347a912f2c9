from typing import Any, Self

from django.db.models import Manager, Q
from django.db.models.expressions import RawSQL

from conversations.querysets import OfConversationQuerySet

#: What end users see and every figure counts: not private, not quarantined, not deleted.
COUNTED = Q(visibility="public", deleted_at=None)
#: What staff read besides: their notes, and lines of the thread that nobody wrote.
WITH_NOTES = Q(visibility__in=["public", "private"], deleted_at=None)

#: What anti-spam keeps from everybody, until staff release or delete it.
HELD = Q(visibility="held", deleted_at=None)


class MessageQuerySet(OfConversationQuerySet):
    tenant = "client_id"

    def counted(self) -> Self:
        return self.filter(COUNTED)

    def held(self) -> Self:
        """Waiting for staff to release or delete them. The value stands in the statement, as in the index."""
        return self.filter(visibility=RawSQL("'held'", []), deleted_at=None)

    def of(self, conversation_id: int) -> Self:
        return self.filter(conversation_id=conversation_id)

    def from_customers(self) -> Self:
        return self.filter(is_customer=True)

    def from_both_sides(self) -> Self:
        """Of customers, and of the agents and bots who answer them; the `system` agent answers nobody."""
        return self.filter(Q(is_customer=True) | Q(sender_agent__kind__in=["human", "ai"]))

    def from_agents(self) -> Self:
        return self.filter(sender_agent__isnull=False)


class MessageManager(Manager.from_queryset(MessageQuerySet)):  # type: ignore[misc]
    """Rows come without their stems, which serve the search alone."""

    def get_queryset(self) -> Any:
        return super().get_queryset().defer("search")
