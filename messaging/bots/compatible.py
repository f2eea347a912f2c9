"""`openai`: any endpoint of the OpenAI chat completions protocol, hosted or local (docs/ai.md).

The library is loaded with the first call: it costs a second and 30 MB that a process without AI agents saves.
"""

import json
import logging
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from chatplatform.errors import ProviderFailed, ProviderTimedOut, ProviderUnavailable
from clients.models import Agent

from . import guard
from .chunks import Answer, answer_of, pieces_of
from .prompt import Prompt, build, tokens_of
from .providers import Asked, Outcome, Reply
from .wire import Deadline, TooMuch, Transport

if TYPE_CHECKING:
    from openai import OpenAI

logger = logging.getLogger("chatplatform.ai")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # else a line for each call, with its address
_TRIES = 2  # the second only where the first had no answer at all


class OpenAICompatible:
    is_remote = True

    def can_answer(self, agent: Agent) -> bool:
        return bool(agent.base_url and agent.model)

    def answer(self, asked: Asked) -> Outcome:
        agent, prompt, deadline = asked.agent, build(asked), Deadline(asked.agent.timeout)
        with _failures_told(agent, prompt, []), _client(agent, deadline) as client:
            create = client.chat.completions.with_raw_response.create
            raw = _opened(lambda: create(**_given(agent, prompt)), deadline)
            answer = answer_of(_json(raw.http_response.content))
            guard.check(prompt.secrets, answer.text)
            return _reply(answer, prompt)

    def stream(self, asked: Asked) -> Generator[str, None, Outcome]:
        agent, prompt, deadline = asked.agent, build(asked), Deadline(asked.agent.timeout)
        said: list[str] = []
        options: Any = {"stream": True, "stream_options": {"include_usage": True}}
        with _failures_told(agent, prompt, said), _client(agent, deadline) as client:
            chunks = _opened(lambda: client.chat.completions.create(**_given(agent, prompt), **options), deadline)
            kept, answer = guard.Guard(prompt.secrets), Answer()
            with chunks:
                for piece in pieces_of(chunks, answer):
                    said.append(piece)
                    if shown := kept.take(piece):
                        yield shown
            answer.check()
            if rest := kept.rest():
                yield rest
            return _reply(answer, prompt)


def _given(agent: Agent, prompt: Prompt) -> dict[str, Any]:
    given: dict[str, Any] = {"model": agent.model, "messages": prompt.messages, "temperature": agent.temperature}
    given[_longest(agent.base_url)] = agent.answer_tokens
    if not agent.api_key_env:  # local endpoints want none
        from openai import Omit

        given["extra_headers"] = {"Authorization": Omit()}
    return given


def _longest(base_url: str) -> str:
    """The name of an answer's bound: OpenAI's newer models refuse the one that all others know."""
    host = urlsplit(base_url).hostname or ""
    theirs = host == "api.openai.com" or host.endswith(".openai.azure.com")
    return "max_completion_tokens" if theirs else "max_tokens"


def _opened(call: Any, deadline: Deadline) -> Any:
    """Once more where nothing came back: whoever has begun to answer has perhaps begun to bill."""
    for left in range(_TRIES - 1, -1, -1):
        try:
            return call()
        except Exception as error:
            if not left or deadline.heard or not any(isinstance(one, _UNREACHED) for one in _chain(error)):
                raise
    raise AssertionError("unreachable")


_UNREACHED = (httpx2.NetworkError, httpx2.RemoteProtocolError)


@contextmanager
def _client(agent: Agent, deadline: Deadline) -> Iterator["OpenAI"]:
    if not (agent.base_url and agent.model):
        raise ProviderUnavailable("no base URL or no model is set")
    key = os.environ.get(agent.api_key_env, "") if agent.api_key_env else ""
    if agent.api_key_env and not key:
        raise ProviderUnavailable(f"the environment variable {agent.api_key_env} is not set")
    from openai import OpenAI

    transport = Transport(deadline)
    with httpx2.Client(transport=transport, follow_redirects=False, trust_env=False) as http:
        yield OpenAI(
            api_key=key or "none", base_url=agent.base_url, timeout=agent.timeout, max_retries=0, http_client=http
        )


@contextmanager
def _failures_told(agent: Agent, prompt: Prompt, said: list[str]) -> Iterator[None]:
    """Whatever goes wrong is one of two failures; neither the log nor they have a header, a body or an address."""
    try:
        yield
    except ProviderFailed as error:
        error.tokens_in = error.tokens_in or (prompt.tokens if said else 0)
        error.tokens_out = error.tokens_out or tokens_of("".join(said))
        logger.warning("AI agent %s: %s", agent.pk, error.why)
        raise
    except Exception as error:
        failure = _failure(error, agent, prompt, said)
        logger.warning("AI agent %s: %s", agent.pk, failure.why)
        raise failure from None


def _failure(error: Exception, agent: Agent, prompt: Prompt, said: list[str]) -> ProviderFailed:
    spent = {"tokens_in": prompt.tokens, "tokens_out": tokens_of("".join(said))}
    chain = list(_chain(error))
    if any(isinstance(one, httpx2.TimeoutException) for one in chain):
        return ProviderTimedOut(f"no whole answer within {agent.timeout} s", **spent)
    if (status := getattr(error, "status_code", None)) is not None:
        return ProviderUnavailable(f"it answered {status}")
    if any(isinstance(one, httpx2.ConnectError) for one in chain):
        return ProviderUnavailable("no connection")
    if too_much := next((one for one in chain if isinstance(one, TooMuch)), None):
        return ProviderUnavailable(str(too_much), **spent)
    if any(isinstance(one, httpx2.TransportError) for one in chain):
        return ProviderUnavailable("the connection broke off", **spent)
    return ProviderUnavailable(f"what it answered is none ({type(error).__name__})", **spent)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """What led to it; generators make circles of that."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailable("the answer is not JSON") from error


def _reply(answer: Answer, prompt: Prompt) -> Reply:
    """With the tokens that the provider counted; where it says nothing, with our guess."""
    counted = answer.usage or (prompt.tokens, tokens_of(answer.text))
    return Reply(answer.text, tokens_in=counted[0], tokens_out=counted[1])
