"""AI agents against a server of the OpenAI protocol that is not ours: llama.cpp, over a model made on the spot."""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chatplatform.tests.ai import STREAM, accepts, ask, events
from chatplatform.tests.store import new_conversation
from clients.models import Agent
from messaging.models import AgentUsage, Message
from messaging.tests import bots, llama
from messaging.tests.llama import ANSWER, KEY, MARK
from messaging.tests.llm import agent_at

pytestmark = pytest.mark.django_db
QUESTION = 'Where is order 7? "ñ" 🙂'


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [sys.executable, str(Path(llama.__file__)), str(tmp_path_factory.mktemp("model"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), "the server ended before it said its address"
            yield f"{address}/v1"
        finally:
            process.kill()


@pytest.fixture
def bot(acme: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setenv("LLAMA_KEY", KEY)
    return agent_at(acme.client, url, api_key_env="LLAMA_KEY", system_prompt="Be brief.")


@pytest.mark.contract("assistant: A provider is configured per agent", "assistant: /ai-response | message")
def test_an_answer_of_a_server_that_is_not_ours(acme: Any, api: Any, bot: Agent) -> None:
    maya = api(acme.users[0].user)
    conversation = new_conversation(maya)
    for number in (1, 2):  # the second time with what was said before
        answer = ask(maya, conversation, f"{QUESTION} {number}")
        assert (answer.status_code, answer.json()["data"]["ai_response"]) == (200, ANSWER)
        stored = Message.objects.get(pk=answer.json()["data"]["message_id"])
        used = AgentUsage.objects.get()
        assert used.answers == number
        assert stored.tokens_used > len(llama.SAID)
        assert used.tokens_out == number * (len(llama.SAID) + 1)  # as that server counts: with the end's token
        assert stored.cost > Decimal(0)


def test_its_stream(acme: Any, api: Any, bot: Agent) -> None:
    """word by word, a letter of two tokens in one piece, and then what the call answers whole"""
    maya = api(acme.users[0].user)
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, QUESTION, STREAM)
    assert (answer.status_code, answer["Content-Type"]) == (200, STREAM)
    told = events(answer)
    assert "".join(data["text"] for name, data in told if name == "delta") == ANSWER
    assert told[-1] == ("done", ask(maya, conversation, QUESTION).json())
    assert AgentUsage.objects.get().tokens_out == len(llama.SAID) + 1


def test_it_keeps_to_the_longest_answer(acme: Any, api: Any, bot: Agent) -> None:
    Agent.objects.filter(pk=bot.pk).update(answer_tokens=3)
    maya = api(acme.users[0].user)
    answer = ask(maya, new_conversation(maya), QUESTION)
    assert answer.json()["data"]["ai_response"] == "Your order left"
    assert AgentUsage.objects.get().tokens_out == 3


def test_a_mark_of_its_own_in_a_customers_words_is_none(acme: Any, api: Any, bot: Agent, url: str) -> None:
    """such an endpoint takes one for what it looks like: ours sends it what is none"""

    def tokens(text: str) -> int:
        body = {"model": "m", "messages": [{"role": "user", "content": text}]}
        answer = httpx2.post(f"{url}/chat/completions", json=body, headers={"Authorization": f"Bearer {KEY}"})
        return int(answer.json()["usage"]["prompt_tokens"])

    assert tokens(MARK) < tokens(MARK.replace("e", "o"))  # one token in place of ten
    maya = api(acme.users[0].user)
    used = []
    for question in (MARK, MARK.replace("e", "o")):
        ask(maya, new_conversation(maya), question)
        used.append(AgentUsage.objects.get().tokens_in - sum(used))
    assert used[0] == used[1]


@pytest.mark.contract("behaviour: use_bot is true by default")
def test_a_bot_that_answers_by_itself(acme: Any, bot: Agent) -> None:
    row = bots.chat(acme)
    question = bots.write(acme, row, QUESTION)
    assert bots.work() == ["answered"]
    answer = Message.objects.get(reply_to=question)
    assert (answer.text, answer.sender_agent) == (ANSWER, bot)
    assert bots.said(row) == [QUESTION, ANSWER]


@pytest.mark.contract("assistant: If the provider fails")
@accepts
def test_what_it_refuses(
    acme: Any, api: Any, bot: Agent, url: str, accept: str, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a wrong key, an unknown path, more than its context holds: its own errors, told as ours"""
    maya = api(acme.users[0].user)
    conversation = new_conversation(maya)
    refused = {"success": False, "message": "AI provider unavailable"}

    def fails(message: str = QUESTION) -> None:
        answer = ask(maya, conversation, message, accept)
        assert (answer.status_code, answer.json()) == (502, refused)

    with caplog.at_level("WARNING", logger="chatplatform.ai"):
        monkeypatch.setenv("LLAMA_KEY", "sk-of-somebody-else")
        fails()
        monkeypatch.setenv("LLAMA_KEY", KEY)
        Agent.objects.filter(pk=bot.pk).update(base_url=f"{url}/elsewhere")
        fails()
        Agent.objects.filter(pk=bot.pk).update(base_url=url, context_tokens=20_000)
        fails("x" * 20_000)  # a token each, in this model's eyes
    told = [record.getMessage().split(": ", 1)[1] for record in caplog.records]
    assert told == ["it answered 401", "it answered 404", "it answered 400"]
    assert [row.text for row in Message.objects.order_by("seq")] == [QUESTION, "x" * 20_000]
    assert AgentUsage.objects.get().failures == 3
    assert ask(maya, conversation, QUESTION).status_code == 502  # the long one is among the history
    Agent.objects.filter(pk=bot.pk).update(context_tokens=1000)
    assert ask(maya, conversation, QUESTION).json()["data"]["ai_response"] == ANSWER
