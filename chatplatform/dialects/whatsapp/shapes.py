from typing import Any

from conversations.models import Conversation
from conversations.states import FINISHED


def record(conversation: Conversation, client_uuid: Any) -> dict[str, Any]:
    """`numberClient` is the number of the request that made it, whoever takes part since."""
    number = conversation.origin.get("number_client")
    return {
        "id": str(conversation.uuid),
        "chatId": conversation.chat_id or str(conversation.uuid),
        "useBot": conversation.use_bot,
        "name": conversation.title,
        "numberClient": int(number) if number else None,
        "category": conversation.category,
        "finishedChat": conversation.status in FINISHED,
        "clientId": str(client_uuid),
    }
