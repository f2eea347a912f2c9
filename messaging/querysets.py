from typing import TYPE_CHECKING, Self

from django.db.models import Q

from conversations.querysets import OfConversationQuerySet

if TYPE_CHECKING:
    pass

#: What end users see and every figure counts: not private, not quarantined, not deleted.
COUNTED = Q(visibility="public", deleted_at=None)


class MessageQuerySet(OfConversationQuerySet):
    tenant = "client_id"

    def counted(self) -> Self:
        return self.filter(COUNTED)

    def of(self, conversation_id: int) -> Self:
        return self.filter(conversation_id=conversation_id)

    def from_customers(self) -> Self:
        return self.filter(is_customer=True)

    def from_agents(self) -> Self:
        return self.filter(sender_agent__isnull=False)
