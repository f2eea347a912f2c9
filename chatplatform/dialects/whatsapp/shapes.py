from typing import Any, Literal, NotRequired, TypedDict

from conversations.models import Conversation
from conversations.states import FINISHED


class Error(TypedDict):
    error: str
    details: NotRequired[str]


class Record(TypedDict):
    id: str
    chatId: str
    useBot: bool
    name: str
    numberClient: int | None
    category: str
    finishedChat: bool
    clientId: str


class Created(TypedDict):
    success: Literal[True]
    record: Record


def record(conversation: Conversation, client_uuid: Any) -> Record:
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
