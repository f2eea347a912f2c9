"""The task of an answer, written in the transaction of the message that waits for it."""

from conversations.models import Conversation

from ..models import Message
from .serving import serving, speaks


def queue_answer(row: Conversation, message: Message) -> None:
    """Where a bot serves the locked conversation. What is true now is looked at again when it answers."""
    from ..tasks import answer

    if speaks(row) and serving(row) is not None:
        answer.enqueue(message.pk)
