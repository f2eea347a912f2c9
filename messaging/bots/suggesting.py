"""A reply that staff may send, change or leave: the conversation's own engine is asked, and nothing is written."""

from dataclasses import dataclass
from decimal import Decimal

from chatplatform.errors import Invalid
from clients.models import Agent
from conversations.models import Conversation

from ..models import Message
from . import context
from .money import cost_of
from .providers import NotCovered, Outcome, Reply, Source
from .serving import for_call
from .trying import ask_aside


@dataclass(frozen=True, slots=True)
class Suggestion:
    #: Empty where nothing fits; then the sources are what came nearest.
    text: str
    sources: tuple[Source, ...]
    score: float | None
    agent: Agent
    seconds: float
    cost: Decimal


def suggest(row: Conversation) -> Suggestion:
    """To the customer's newest message that all may see. Raises Invalid where there is none or nobody to ask, and
    what `ask_aside` does. No transaction and no lock is open while the provider is asked."""
    agent = for_call(row)
    if agent is None:
        raise Invalid("No AI agent serves this conversation, and there is no default one.")
    question = Message.objects.of(row.pk).counted().from_customers().order_by("-seq").first()
    if question is None:
        raise Invalid("The customer has written nothing yet.")
    outcome, seconds = ask_aside(context.asked(question, agent))
    return _suggestion(outcome, agent, seconds)


def _suggestion(outcome: Outcome, agent: Agent, seconds: float) -> Suggestion:
    match outcome:
        case Reply():
            cost = cost_of(agent, outcome.tokens_in, outcome.tokens_out)
            return Suggestion(outcome.text, outcome.sources, outcome.score, agent, seconds, cost)
        case NotCovered():
            return Suggestion("", outcome.sources, outcome.score, agent, seconds, Decimal(0))
    raise Invalid(f"{agent.name} has nothing to answer from.")
