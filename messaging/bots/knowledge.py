"""`knowledge`, the embedded provider: it answers from the client's own articles, and never invents."""

from collections.abc import Generator

from clients.models import Agent

from .providers import Asked, NothingToAnswerFrom, Outcome, Reply


class Knowledge:
    is_remote = False

    def can_answer(self, agent: Agent) -> bool:
        return False  # a client has no articles yet

    def answer(self, asked: Asked) -> Outcome:
        return NothingToAnswerFrom()

    def stream(self, asked: Asked) -> Generator[str, None, Outcome]:
        """In one piece: it has no network to wait for."""
        outcome = self.answer(asked)
        if isinstance(outcome, Reply):
            yield outcome.text
        return outcome
