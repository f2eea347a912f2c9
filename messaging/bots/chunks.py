"""The JSON of an answer, believed in nothing: endpoints of this protocol differ in what they leave out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from chatplatform.errors import ProviderUnavailable
from clients.fields import json_problem

from ..models import MAX_TEXT_BYTES

_MOST_TOKENS = 100_000_000


@dataclass
class Answer:
    """As far as it has come."""

    text: str = ""
    #: Prompt and completion, as the provider counts.
    usage: tuple[int, int] | None = None
    finished: bool = False

    def check(self) -> None:
        """Raises ProviderUnavailable for what cannot be a message."""
        if not self.finished:
            raise ProviderUnavailable("the answer broke off")
        if not self.text.strip():
            raise ProviderUnavailable("the answer has no text")
        if len(self.text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
            raise ProviderUnavailable("the answer is longer than any message")
        if json_problem(self.text):
            raise ProviderUnavailable("the answer has characters that are no text")


def answer_of(data: Any) -> Answer:
    """Of a whole answer. Raises ProviderUnavailable."""
    message = _dict(_choice(data).get("message"))
    answer = Answer(_text(message.get("content")) or _text(message.get("refusal")), _usage(data), finished=True)
    answer.check()
    return answer


def pieces_of(chunks: Iterable[Any], answer: Answer) -> Iterator[str]:
    """The text of a stream, piece by piece; `answer` has what came so far. Raises ProviderUnavailable."""
    size = 0
    for chunk in chunks:
        data = chunk.to_dict(warnings=False) if hasattr(chunk, "to_dict") else {}
        answer.usage = _usage(data) or answer.usage
        choice = _choice(data, required=False)
        delta = _dict(choice.get("delta"))
        if piece := _text(delta.get("content")) or _text(delta.get("refusal")):
            size += len(piece.encode(errors="surrogatepass"))
            if size > MAX_TEXT_BYTES:
                raise ProviderUnavailable("the answer is longer than any message")
            if json_problem(piece):
                raise ProviderUnavailable("the answer has characters that are no text")
            answer.text += piece
            yield piece
        answer.finished = answer.finished or bool(choice.get("finish_reason"))


def _choice(data: Any, *, required: bool = True) -> dict[str, Any]:
    """The first of them: more are never asked for."""
    choices = _dict(data).get("choices")
    found = [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    first = next((one for one in found if one.get("index", 0) == 0), None)
    if first is None and required:
        raise ProviderUnavailable("the answer has no choices")
    return first or {}


def _text(value: Any) -> str:
    if isinstance(value, list):  # parts of text
        return "".join(_text(_dict(part).get("text")) for part in value)
    return value if isinstance(value, str) else ""


def _usage(data: Any) -> tuple[int, int] | None:
    usage = _dict(_dict(data).get("usage"))
    prompt, completion = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    return (prompt, completion) if prompt is not None and completion is not None and prompt + completion else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
