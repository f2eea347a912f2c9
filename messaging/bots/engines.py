"""Which provider serves an agent."""

from clients.models import Agent

from .compatible import OpenAICompatible
from .knowledge import Knowledge
from .providers import Provider

_PROVIDERS: dict[str, Provider] = {
    Agent.Provider.KNOWLEDGE: Knowledge(),
    Agent.Provider.OPENAI: OpenAICompatible(),
}


def provider_of(agent: Agent) -> Provider:
    return _PROVIDERS[agent.provider]


def can_answer(agent: Agent) -> bool:
    return agent.is_active and provider_of(agent).can_answer(agent)
