"""A question to an agent's provider for staff alone: nothing is said in any conversation."""

from typing import Any

from chatplatform.errors import ProviderFailed
from clients.models import Agent, Client

from . import usage
from .asking import Clock
from .engines import provider_of
from .money import cost_of
from .providers import Asked, Outcome, Reply
from .threads import place

QUESTION = "Hello! What can you help me with?"
_SHOWN = 500  # characters


def try_agent(agent: Agent) -> dict[str, Any] | None:
    """One fixed question: its answer, how long that took and what it cost; None where it has none. Raises what
    `ask_aside` does."""
    language = Client.objects.values_list("language", flat=True).get(pk=agent.client_id)
    outcome, seconds = ask_aside(Asked(agent, QUESTION, language=language))
    if not isinstance(outcome, Reply):
        return None
    return {
        "text": outcome.text[:_SHOWN],
        "seconds": seconds,
        "tokens": outcome.tokens_in + outcome.tokens_out,
        "cost": cost_of(agent, outcome.tokens_in, outcome.tokens_out),
    }


def ask_aside(asked: Asked) -> tuple[Outcome, float]:
    """What a provider says, and in how many seconds. It is counted like any other answer. Raises ProviderFailed,
    ProviderBusy, SpendingLimitReached."""
    agent = asked.agent
    provider = provider_of(agent)
    with place(agent):
        spending = usage.reserve(asked) if provider.is_remote else usage.Spending(agent)
        clock = Clock()
        try:
            outcome = provider.answer(asked)
        except ProviderFailed as error:
            spending.count_failure(error)
            raise
    if isinstance(outcome, Reply):
        spending.count_answer(outcome.tokens_in, outcome.tokens_out)
    return outcome, clock.seconds()
