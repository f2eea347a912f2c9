"""What answers a question: the agent's provider, or nobody where a person is asked for."""

from collections.abc import Generator

from clients.models import Agent

from .compatible import OpenAICompatible
from .knowledge import Knowledge
from .providers import Asked, AsksForAPerson, Outcome, Provider
from .sentences import asks_for_a_person


class _ToAPerson:
    is_remote = False

    def can_answer(self, agent: Agent) -> bool:
        return True

    def answer(self, asked: Asked) -> Outcome:
        return AsksForAPerson()

    def stream(self, asked: Asked) -> Generator[str, None, Outcome]:
        yield from ()
        return AsksForAPerson()


_PROVIDERS: dict[str, Provider] = {
    Agent.Provider.KNOWLEDGE: Knowledge(),
    Agent.Provider.OPENAI: OpenAICompatible(),
}
_TO_A_PERSON = _ToAPerson()


def provider_of(agent: Agent) -> Provider:
    return _PROVIDERS[agent.provider]


def provider_for(asked: Asked) -> Provider:
    """Who answers this question; no provider is asked where the customer wants a person."""
    return _TO_A_PERSON if asks_for_a_person(asked.question) else provider_of(asked.agent)


def can_answer(agent: Agent) -> bool:
    return agent.is_active and provider_of(agent).can_answer(agent)
