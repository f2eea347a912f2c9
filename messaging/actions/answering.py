"""What AI agents write: each in a transaction of its own, between which their providers are asked."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import Forbidden
from clients.callers import Caller
from clients.models import Agent
from conversations import events
from conversations.actions import Target, apply_status, ensure_open, lock, save
from conversations.models import Conversation
from conversations.states import ALLOWED, Status

from ..models import Message
from ..senders import Sender, as_agent
from .sending import add_note, send_message

#: For so long after an answer the same words again are a retry of the call, not said again.
RETRY_WINDOW = timedelta(seconds=30)
_SUMMARY = 5  # messages
_LINE = 200  # characters of each


@dataclass(frozen=True, slots=True)
class Asking:
    """A question that is stored; `answer` where it has its answer already."""

    question: Message
    answer: Message | None = None

    @property
    def is_held(self) -> bool:
        return self.question.visibility == Message.Visibility.HELD


@transaction.atomic
def ask(*, conversation: Target, sender: Sender, by: Caller, text: str) -> Asking:
    """The user's message, stored unless it is the newest one already. Raises what `send_message` raises."""
    row = lock(conversation)
    ensure_open(row)
    if getattr(row, "caller_can_write", True) is False:
        raise Forbidden("You may not write here")
    return _asked_before(row, sender, text) or Asking(
        send_message(conversation=row, sender=sender, by=by, text=text, for_bots=False)
    )


def _asked_before(row: Conversation, sender: Sender, text: str) -> Asking | None:
    """Where the newest message (auto-replies apart) is that text of theirs, or has just answered it."""
    said = Message.objects.of(row.pk).filter(deleted_at=None).exclude(visibility=Message.Visibility.PRIVATE)
    newest = said.exclude(sender_agent__kind=Agent.Kind.SYSTEM).select_related("reply_to").order_by("-seq").first()
    if newest is None:
        return None
    if _is(newest, sender, text):
        # Its answer, if it had one, was deleted: it is said anew.
        return None if Message.objects.filter(reply_to=newest.pk).exists() else Asking(newest)
    question = newest.reply_to
    if question is not None and _is(question, sender, text) and newest.created_at > timezone.now() - RETRY_WINDOW:
        return Asking(question, newest)
    return None


def _is(message: Message, sender: Sender, text: str) -> bool:
    same_sender = sender.user_id is not None and message.sender_user_id == sender.user_id
    return same_sender and message.deleted_at is None and message.type == Message.Type.TEXT and message.text == text


@transaction.atomic
def store_answer(*, question: Message, agent: Agent, text: str, **columns: Any) -> tuple[Message, bool]:
    """The answer of a question, and whether this call stored it: its slot takes one. Raises NotFound,
    ConversationClosed."""
    row = lock(Conversation(pk=question.conversation_id))
    given: Message | None = Message.objects.filter(reply_to=question.pk).first()
    if given is not None:
        return given, False
    answer = send_message(
        conversation=row, sender=as_agent(agent), by=as_bot(agent), text=text, reply_to_id=question.pk, **columns
    )
    return answer, True


@transaction.atomic
def hand_over(*, conversation: Target, agent: Agent, reason: str) -> bool:
    """To a human: the conversation is escalated, and a private note tells staff why and what was asked. Where
    that is not possible any more, or was done, nothing happens."""
    row = lock(conversation)
    if row.status == Status.ESCALATED or Status.ESCALATED not in ALLOWED[row.status]:
        return False
    old, by = row.status, as_bot(agent)
    values = apply_status(row, Status.ESCALATED, by=by, reason=reason[:255])
    save(row, **values, updated_at=values["status_changed_at"])
    events.record_update(row, {"status": [old, row.status]})
    add_note(conversation=row, sender=as_agent(agent), text=f"Handed over to a person: {reason}.\n{_summary(row)}")
    return True


def as_bot(agent: Agent) -> Caller:
    """The agent as whoever does something."""
    return Caller(client_id=agent.client_id, name=agent.name, is_system=True)


def _summary(row: Conversation) -> str:
    """The customer's last words, the oldest first."""
    said = Message.objects.of(row.pk).counted().from_customers().order_by("-seq")
    lines = [f"- {' '.join(text.split())[:_LINE]}" for text in said.values_list("text", flat=True)[:_SUMMARY]]
    return "\n".join(["The customer wrote last:", *reversed(lines)])
