"""`knowledge`, the embedded provider: it answers from the client's own articles, and never invents."""

from collections.abc import Generator
from typing import Final

from clients.models import Agent

from ..knowledge.retrieving import THRESHOLD, retrieve
from ..models import Article
from .providers import Asked, NotCovered, NothingToAnswerFrom, Outcome, Reply, Source

#: Before the title of what is quoted, in the article's own language.
_SOURCE: Final = {"es": "Fuente", "id": "Sumber", "pt": "Fonte"}


class Knowledge:
    is_remote = False

    def can_answer(self, agent: Agent) -> bool:
        return Article.objects.for_client(agent.client_id).published().exists()

    def answer(self, asked: Asked) -> Outcome:
        hits = retrieve(asked.client_id, asked.question)
        if hits is None:
            return NothingToAnswerFrom()
        if not hits:
            return NotCovered()
        best = hits[0]
        sources = (Source(best.article.title, best.article.reference),)
        if best.score < THRESHOLD:
            return NotCovered(sources, best.score)
        label = _SOURCE.get(best.article.language, "Source")
        return Reply(f"{best.passage}\n\n({label}: {best.article.title})", sources=sources, score=best.score)

    def stream(self, asked: Asked) -> Generator[str, None, Outcome]:
        """In one piece: it has no network to wait for."""
        outcome = self.answer(asked)
        if isinstance(outcome, Reply):
            yield outcome.text
        return outcome
