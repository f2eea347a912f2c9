"""One question to an agent's provider, for whoever sets it up; no conversation is touched."""

from typing import Any

from chatplatform.errors import ProviderFailed
from clients.models import Agent, Client

from . import usage
from .asking import Clock
from .engines import provider_of
from .money import cost_of
from .providers import Asked, Reply
from .threads import place

QUESTION = "Hello! What can you help me with?"
_SHOWN = 500  # characters


def try_agent(agent: Agent) -> dict[str, Any] | None:
    """Its answer, how long that took and what it cost; None where it has none. It is counted like any other. Raises
    ProviderFailed, ProviderBusy, SpendingLimitReached."""
    provider = provider_of(agent)
    with place(agent):
        if provider.is_remote:
            usage.ensure_within_limit(agent.client_id)
        clock = Clock()
        language = Client.objects.values_list("language", flat=True).get(pk=agent.client_id)
        try:
            outcome = provider.answer(Asked(agent, QUESTION, language=language))
        except ProviderFailed as error:
            usage.count_failure(agent, error)
            raise
    if not isinstance(outcome, Reply):
        return None
    usage.count_answer(agent, outcome.tokens_in, outcome.tokens_out)
    return {
        "text": outcome.text[:_SHOWN],
        "seconds": clock.seconds(),
        "tokens": outcome.tokens_in + outcome.tokens_out,
        "cost": cost_of(agent, outcome.tokens_in, outcome.tokens_out),
    }
