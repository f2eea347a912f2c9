"""The way of a question to its answer: stored, asked with no transaction open, stored again."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from chatplatform.errors import DomainError, NotFound, ProviderFailed, ProviderUnavailable, SpendingLimitReached
from clients.callers import Caller
from clients.models import Agent
from conversations.actions import Target, lock
from conversations.models import Conversation

from ..actions.answering import Asking, ask, hand_over, store_answer
from ..models import Message
from ..senders import as_user
from . import context, sentences, usage
from .engines import provider_for
from .money import cost_of
from .providers import Asked, AsksForAPerson, NothingToAnswerFrom, Outcome, Reply, Source
from .serving import for_call, serving, speaks, waits_for_answer

NOT_COVERED = "the knowledge does not cover the question"
WANTS_A_PERSON = "the customer asks for a person"
OVER_LIMIT = "the spending limit of this month is reached"


@dataclass(frozen=True, slots=True)
class Call:
    """A question that a provider may be asked now."""

    asking: Asking
    agent: Agent
    given: Asked
    spending: usage.Spending

    @property
    def question(self) -> Message:
        return self.asking.question


# --- at a caller's wish ---


def agent_for(row: Conversation) -> Agent:
    """Whom a caller asks who names no agent. Raises NotFound."""
    agent = for_call(row)
    if agent is None:
        raise NotFound("Agent")
    return agent


def begin(*, conversation: Target, agent: Agent, by: Caller, text: str, with_history: bool) -> Call:
    """Stores the user's message and looks at what may be spent. Raises what `send_message` raises, and
    ProviderUnavailable for a message that anti-spam holds: its sender learns no more."""
    asking = ask(conversation=conversation, sender=as_user(by), by=by, text=text)
    if asking.is_held:
        raise ProviderUnavailable("the message is held by anti-spam")
    given = context.asked(asking.question, agent, with_history=with_history)
    return Call(asking, agent, given, _reserve(given) if asking.answer is None else usage.Spending(agent))


def respond(call: Call) -> Message:
    """The answer, as it is stored. Raises ProviderFailed: then the question stays and has none."""
    if call.asking.answer is not None:
        return call.asking.answer
    clock = Clock()
    try:
        outcome = provider_for(call.given).answer(call.given)
    except ProviderFailed as error:
        call.spending.count_failure(error)
        raise
    return finish(call, outcome, clock)


def finish(call: Call, outcome: Outcome, clock: "Clock") -> Message:
    """Where nothing fits, or a person is asked for, it says so plainly and a human takes over. Raises NotFound,
    ConversationClosed, and ProviderUnavailable where anti-spam or staff took the question away meanwhile."""
    try:
        with transaction.atomic():
            lock(Conversation(pk=call.question.conversation_id))
            if not Message.objects.counted().filter(pk=call.question.pk).exists():
                raise ProviderUnavailable("the question was taken away meanwhile")
            answer = _store(call.question, call.spending, outcome, clock, call.given.language)
            if reason := _reason(outcome):
                hand_over(conversation=Conversation(pk=answer.conversation_id), agent=call.agent, reason=reason)
            return answer
    except DomainError:  # closed, deleted or held meanwhile
        _count(call.spending, outcome)
        raise


# --- by itself ---


def answer_by_itself(message_id: int) -> str:
    """What became of a customer's message: "answered", "handed over" or "silent"."""
    message = Message.objects.select_related("conversation").filter(pk=message_id).first()
    if message is None or not (agent := _answering(message.conversation, message)):
        return "silent"
    given = context.asked(message, agent)
    clock = Clock()
    try:
        spending = _reserve(given)
    except SpendingLimitReached:
        return _close(message, usage.Spending(agent), None, clock, given.language, OVER_LIMIT)
    try:
        outcome = provider_for(given).answer(given)
    except ProviderFailed as error:
        spending.count_failure(error)
        return _close(message, spending, None, clock, given.language, f"{error.message} ({error.why})")
    if isinstance(outcome, NothingToAnswerFrom):
        return "silent"
    return _close(message, spending, outcome, clock, given.language, _reason(outcome))


def _close(
    message: Message, spending: usage.Spending, outcome: Outcome | None, clock: "Clock", language: str, reason: str
) -> str:
    """Says it, hands over, or both, unless something has happened meanwhile that keeps a bot silent."""
    agent = spending.agent
    with transaction.atomic():
        try:
            row = lock(Conversation(pk=message.conversation_id))
        except NotFound:
            row = None
        now = Message.objects.filter(pk=message.pk).first()
        if row is not None and now is not None and _answering(row, now) == agent:
            if outcome is not None:
                _store(now, spending, outcome, clock, language)
            if reason:
                hand_over(conversation=row, agent=agent, reason=reason)
            return "handed over" if reason else "answered"
    if outcome is not None:
        _count(spending, outcome)
    return "silent"


def _answering(row: Conversation, message: Message) -> Agent | None:
    return serving(row) if waits_for_answer(message) and speaks(row) else None


# --- both ---


class Clock:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def seconds(self) -> float:
        return round(time.monotonic() - self._begun, 3)


def _reserve(given: Asked) -> usage.Spending:
    """Raises SpendingLimitReached; what costs nothing needs nothing set aside."""
    if not provider_for(given).is_remote:
        return usage.Spending(given.agent)
    return usage.reserve(given)


def _reason(outcome: Outcome) -> str:
    """Why a human takes over; empty where nobody does."""
    if isinstance(outcome, Reply):
        return ""
    return WANTS_A_PERSON if isinstance(outcome, AsksForAPerson) else NOT_COVERED


def _store(question: Message, spending: usage.Spending, outcome: Outcome, clock: Clock, language: str) -> Message:
    """The one answer of the question; where it had one already, what this one cost is counted all the same."""
    agent = spending.agent
    words = sentences.TO_A_PERSON if isinstance(outcome, AsksForAPerson) else sentences.NO_ANSWER
    reply = outcome if isinstance(outcome, Reply) else Reply(sentences.said(words, language))
    answer, _ = store_answer(
        question=question,
        agent=agent,
        text=reply.text,
        tokens_used=reply.tokens_in + reply.tokens_out,
        processing_time=clock.seconds(),
        cost=cost_of(agent, reply.tokens_in, reply.tokens_out),
        metadata=_metadata(reply.sources, reply.score),
    )
    _count(spending, reply)  # after the conversation's lock, as everywhere
    return answer


def _count(spending: usage.Spending, outcome: Outcome) -> None:
    reply = outcome if isinstance(outcome, Reply) else Reply("")
    spending.count_answer(reply.tokens_in, reply.tokens_out)


def _metadata(sources: tuple[Source, ...], score: float | None) -> dict[str, Any]:
    """What the answer quotes, for whoever reads it by an API or in the admin."""
    if not sources and score is None:
        return {}
    quoted = [{"title": source.title[:255], "reference": source.reference[:100]} for source in sources[:5]]
    return {"ai": {"sources": quoted, "score": score}}
