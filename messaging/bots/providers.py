"""What answers, in the words that every kind of it shares."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from clients.models import Agent


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation, in one line of text."""

    by_customer: bool
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what may be known to whoever answers it: nothing but this leaves for a provider."""

    agent: Agent
    question: str
    #: Of the same conversation, the oldest first, the question not among them.
    turns: tuple[Turn, ...] = ()
    #: The client's, of settings.LANGUAGES.
    language: str = "en"

    @property
    def client_id(self) -> int:
        return self.agent.client_id


@dataclass(frozen=True, slots=True)
class Source:
    """What an answer quotes: its name as people see it, and which row it is (`article:7`)."""

    title: str
    reference: str


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    sources: tuple[Source, ...] = ()
    #: How well the sources fit, 0 to 1; None where that is not measured.
    score: float | None = None


@dataclass(frozen=True, slots=True)
class NotCovered:
    """It has something to answer from, and nothing of that fits. What came nearest may be told to staff."""

    sources: tuple[Source, ...] = ()
    score: float | None = None


@dataclass(frozen=True, slots=True)
class NothingToAnswerFrom:
    """No articles, or no provider: a bot stays silent."""


@dataclass(frozen=True, slots=True)
class AsksForAPerson:
    """The customer wants no machine's answer."""


Outcome = Reply | NotCovered | NothingToAnswerFrom | AsksForAPerson


class Provider(Protocol):
    """One kind of provider. Both methods are called outside of any transaction and raise ProviderFailed."""

    #: Whether the answer comes from another machine: then a web process waits for few of them at a time.
    is_remote: bool

    def can_answer(self, agent: Agent) -> bool:
        """Whether there is anything to answer from; read when a client's rulebook is. Whatever changes the answer
        calls `clients.actions.rules_changed`."""
        ...

    def answer(self, asked: Asked) -> Outcome: ...

    def stream(self, asked: Asked) -> Generator[str, None, Outcome]:
        """The text of the answer, piece by piece; what it returns has all of it."""
        ...
