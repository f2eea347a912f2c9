"""An answer as it is made. What goes wrong before its first words is raised; after that it is told in the stream."""

from collections.abc import Generator
from dataclasses import dataclass

from chatplatform.errors import DomainError, ProviderFailed, ProviderUnavailable

from ..models import Message
from .asking import Call, Clock, finish
from .engines import provider_for
from .prompt import build, tokens_of
from .providers import Outcome
from .threads import Place


@dataclass(frozen=True, slots=True)
class Piece:
    text: str


Said = Piece | Message | DomainError


class Streamed:
    """Pieces, and then the stored answer or what went wrong. Closing it early ends the provider's call, and no
    answer is stored."""

    def __init__(self, call: Call, place: Place) -> None:
        self._call, self._place, self._clock = call, place, Clock()
        self._pieces: Generator[str, None, Outcome] | None = None
        self._next: list[Said] = []
        self._shown: list[str] = []
        if call.asking.answer is not None:
            self._next = [Piece(call.asking.answer.text), call.asking.answer]
            return
        self._pieces = provider_for(call.given).stream(call.given)
        self._step()
        if isinstance(error := self._next[0], DomainError):
            raise error

    def __iter__(self) -> "Streamed":
        return self

    def __next__(self) -> Said:
        if not self._next and self._pieces is not None:
            self._step()
        if not self._next:
            self.close()
            raise StopIteration
        return self._next.pop(0)

    def _step(self) -> None:
        """The next piece, or the end."""
        assert self._pieces is not None  # noqa: S101
        try:
            piece = next(self._pieces)
        except StopIteration as end:
            self._pieces = None
            self._end(end.value)
        except ProviderFailed as error:
            self._pieces = None
            self._call.spending.count_failure(error)
            self._next.append(error)
        else:
            self._shown.append(piece)
            self._next.append(Piece(piece))

    def _end(self, outcome: Outcome) -> None:
        try:
            answer = finish(self._call, outcome, self._clock)
        except DomainError as error:
            self._next.append(error)
            return
        if not self._shown:  # what it says where it has no answer
            self._next.append(Piece(answer.text))
        self._next.append(answer)

    def close(self) -> None:
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            pieces.close()
            said = "".join(self._shown)
            gone = ProviderUnavailable(
                "whoever asked has gone", tokens_in=build(self._call.given).tokens, tokens_out=tokens_of(said)
            )
            self._call.spending.count_failure(gone)
        self._place.give_back()
