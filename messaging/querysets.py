from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

from conversations.querysets import OfConversationQuerySet

if TYPE_CHECKING:
    from .models import Message

#: What end users see and every figure counts: not private, not quarantined, not deleted.
COUNTED = Q(visibility="public", deleted_at=None)


class MessageQuerySet(OfConversationQuerySet):
    tenant = "client_id"

    def counted(self) -> Self:
        return self.filter(COUNTED)

    def of(self, conversation_id: int) -> Self:
        return self.filter(conversation_id=conversation_id)

    def window(self, conversation_id: int, *, count: int, limit: int) -> Self:
        """The newest `limit` counted messages of a conversation that has `count` of them."""
        rows = self.of(conversation_id).counted()
        if count <= limit:
            return rows
        oldest = rows.order_by("-seq").values_list("seq", flat=True)[limit - 1]
        return rows.filter(seq__gte=oldest)

    def from_customers(self) -> Self:
        return self.filter(is_customer=True)

    def from_agents(self) -> Self:
        return self.filter(sender_agent__isnull=False)

    def latest_of(self, conversation_id: int) -> "Message | None":
        message: Any = self.of(conversation_id).counted().order_by("-seq").first()
        return message
