"""Whatever a provider does, the chat goes on: call 6 and bots against every failure and every recorded answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatplatform.tests.ai import ANSWER, STREAM, accepts, ask, events, said
from chatplatform.tests.store import new_conversation, say
from clients.models import Agent
from conversations.models import Conversation, StateChange
from messaging.models import AgentUsage, Message
from messaging.tests import bots
from messaging.tests.llm import Asked, Handler, chunks
from messaging.tests.llm_failures import FAILURES

pytestmark = pytest.mark.django_db
UNAVAILABLE = {"success": False, "message": "AI provider unavailable"}


def answer_in(answer: Any) -> str:
    done = answer.json() if answer["Content-Type"] != STREAM else dict(events(answer))["done"]
    return str(done["data"]["ai_response"])


@accepts
@pytest.mark.contract("assistant: If the provider fails", "assistant: Errors: 400 validation")
def test_call_6_whatever_a_provider_does(maya: Any, bot: Agent, endpoint: Any, accept: str) -> None:
    """502, the question stays, nothing is made up, sending goes on, and the retry is answered"""
    well = endpoint.behave
    conversation = new_conversation(maya)
    expected: list[tuple[str, bool]] = []
    for failure, behave in FAILURES.items():
        endpoint.behave = behave
        refused = ask(maya, conversation, failure, accept)
        assert (failure, refused.status_code, refused.json()) == (failure, 502, UNAVAILABLE)
        say(maya, conversation, f"After {failure}")
        expected += [(failure, True), (f"After {failure}", True)]
    assert said(conversation) == expected
    assert AgentUsage.objects.get().failures == len(FAILURES)
    endpoint.behave = well
    assert answer_in(ask(maya, conversation, "And now?", accept)) == ANSWER
    assert said(conversation) == [*expected, ("And now?", True), (ANSWER, False)]


def test_a_stream_that_stops_half_way_times_out(maya: Any, bot: Agent, endpoint: Any) -> None:
    """some words are shown by then: the rest of the stream says what became of it, and none of it is stored"""

    def stops(handler: Handler, asked: Asked) -> None:
        handler.send_response(200)
        handler.send_header("content-type", STREAM)
        handler.end_headers()
        handler.wfile.write(chunks("word " * 60, ends=False))
        handler.hang()

    Agent.objects.filter(pk=bot.pk).update(timeout=1)
    endpoint.behave = stops
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, "Where is it?", STREAM)
    *deltas, last = events(answer)
    assert len(deltas) > 5
    assert last == ("error", {"success": False, "message": "AI provider timed out"})
    assert said(conversation) == [("Where is it?", True)]


@pytest.mark.contract("assistant: If the provider fails")
def test_a_bot_whatever_a_provider_does(acme: Any, bot: Agent, endpoint: Any) -> None:
    """a human takes over, and nobody is told anything that no provider said"""
    rows = {}
    for failure, behave in FAILURES.items():
        endpoint.behave = behave
        rows[failure] = bots.chat(acme)
        bots.write(acme, rows[failure], failure)
        assert (failure, bots.work()[-1]) == (failure, "handed over")
    assert set(Conversation.objects.values_list("status", flat=True)) == {"escalated"}
    assert {failure: bots.said(row) for failure, row in rows.items()} == {failure: [failure] for failure in rows}
    assert not Message.objects.filter(sender_agent=bot).exclude(visibility="private").exists()
    reasons = StateChange.objects.filter(new="escalated").values_list("reason", flat=True)
    assert {reason.split(" (")[0] for reason in reasons} == {"AI provider unavailable"}
    for row in rows.values():
        bots.write(acme, row, "Hello?")  # the chat goes on


@accepts
def test_every_sample(maya: Any, bot: Agent, endpoint: Any, shared: Path, accept: str) -> None:
    """Each file as it is, whether it fits the call or not (calls of tools, streams, other APIs' answers, lists of
    models, half a JSON): its own text, or 502."""
    answered: dict[str, str] = {}
    files = sorted(path for path in (shared / "data/llm-samples").iterdir() if path.name != "INDEX.json")
    assert len(files) > 40
    for file in files:
        body, media = file.read_bytes(), "application/json" if file.suffix == ".json" else STREAM
        endpoint.behave = lambda h, a, body=body, media=media: h.send(body, media)
        conversation = new_conversation(maya)
        answer = ask(maya, conversation, file.name, accept)
        if answer.status_code == 200:
            answered[file.name] = answer_in(answer)
            assert said(conversation) == [(file.name, True), (answered[file.name], False)]
        else:
            assert (file.name, answer.status_code, answer.json()) == (file.name, 502, UNAVAILABLE)
            assert said(conversation) == [(file.name, True)]
    assert answered == {file.name: text for file in files if (text := _text_of(file, accept))}


def _text_of(file: Path, accept: str) -> str:
    """What a plain reading of the file says, where it answers such a call."""
    if not file.name.startswith(("recorded-sse-", "recorded-chat-", "spec-chat-")):
        return ""
    if accept == STREAM:
        rows = [json.loads(line[6:]) for line in file.read_text().splitlines() if line.startswith("data: {")]
        deltas = [choice["delta"] for row in rows for choice in row["choices"] if choice["index"] == 0]
        return "".join(delta.get("content") or delta.get("refusal") or "" for delta in deltas).strip(" ")
    if file.suffix != ".json":
        return ""
    message = json.loads(file.read_text())["choices"][0]["message"]
    return message.get("content") or message.get("refusal") or ""
