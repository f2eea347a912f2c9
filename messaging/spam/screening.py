"""Anti-spam on a message that is about to be stored."""

from conversations.actions import save
from conversations.models import Conversation

from ..links import MEDIA
from ..models import Message
from ..rulebook import rulebook
from ..text import file_name
from . import history
from .judging import judge_of
from .settings import FLAG, QUARANTINE

#: What a customer writes into a message that is no text: a place's name, a card's.
_WRITTEN = ("name", "address", "formatted_name")


def screen(row: Conversation, message: Message) -> None:
    """Marks the message, its conversation or both; nothing where the client wants no anti-spam."""
    judge = judge_of(rulebook(row))
    if judge is None:
        return
    verdict = judge.verdict([*judge.read(_written(message)), *history.reasons(message)])
    if not verdict.passes:
        return
    message.flag_reasons = verdict.reasons
    if FLAG in judge.wanted.actions:
        message.is_flagged = True
        # Not a change that anybody but staff should learn of: the message may be held.
        save(row, is_flagged=True, flag_reasons=verdict.reasons, updated_at=row.updated_at)
    if QUARANTINE in judge.wanted.actions:
        message.visibility = Message.Visibility.HELD


def _written(message: Message) -> str:
    """The name of a file that is sent stands in the message's text (contract `behaviour.md`, Messages)."""
    file = file_name(message.content) if message.type in MEDIA else ""
    return "\n".join(filter(None, [message.text, file, *(message.content.get(name) for name in _WRITTEN)]))
