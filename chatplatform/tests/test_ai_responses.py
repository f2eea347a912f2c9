"""Call 6 of `assistant`: what is asked, answered, stored and counted, and every way in which it is not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from chatplatform.tests.ai import ANSWER, QUESTION, ask, events, said
from chatplatform.tests.store import everything, new_conversation, say, take_part
from clients.callers import system_caller
from clients.models import Agent
from conversations.actions import change_status
from conversations.models import Conversation, StateChange
from messaging.actions import delete_message
from messaging.bots import threads
from messaging.models import AgentUsage, Message
from messaging.tests.llm import Endpoint, agent_at, chunks

pytestmark = pytest.mark.django_db


@pytest.mark.contract(
    "assistant: /ai-response | message",
    "assistant: Authorization: Bearer <user's JWT> on all 11 calls",
    "assistant: Call 6 stores the user's message",
)
def test_an_answer(maya: Any, bot: Agent, endpoint: Endpoint) -> None:
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, agent_id=bot.pk, include_context=True)
    assert answer.status_code == 200
    question, stored = Message.objects.order_by("seq")
    time = stored.processing_time
    assert answer.json() == {
        "success": True,
        "message": "AI response generated",
        "data": {
            "message_id": stored.pk,
            "ai_response": ANSWER,
            "tokens_used": 30,
            "processing_time": time,
            "cost": 0.000009,
            "created_at": f"{stored.created_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    assert (question.text, question.is_customer, question.reply_to) == (QUESTION, True, None)
    assert (stored.text, stored.sender_agent, stored.reply_to) == (ANSWER, bot, question)
    assert (stored.tokens_used, stored.cost) == (30, Decimal("0.000009"))
    assert time >= 0
    [used] = AgentUsage.objects.all()
    assert (used.agent, used.answers, used.failures, used.tokens_in, used.tokens_out, used.cost_micro) == (
        bot, 1, 0, 20, 10, 9,
    )  # fmt: skip
    listed = maya.get(f"/chat/conversations/{conversation}/messages").json()["data"]["messages"]
    assert [(row["sender"], row["tokens_used"]) for row in listed] == [("user", None), ("agent", 30)]


@pytest.mark.contract("assistant: Call 6 stores the user's message", "behaviour: the client program asks for answers")
def test_what_call_5_stored_is_not_stored_twice_and_only_call_6_answers_it(
    maya: Any, bot: Agent, endpoint: Endpoint
) -> None:
    conversation = new_conversation(maya, agent_id=bot.pk)
    sent = say(maya, conversation, QUESTION)
    assert not DBTaskResult.objects.exists()
    assert endpoint.asked == []
    ask(maya, conversation)
    assert said(conversation) == [(QUESTION, True), (ANSWER, False)]
    assert Message.objects.get(text=ANSWER).reply_to_id == sent["message_id"]
    ask(maya, conversation, "And order 8?")
    assert [text for text, _ in said(conversation)] == [QUESTION, ANSWER, "And order 8?", ANSWER]


@pytest.mark.contract("behaviour: one reply slot")
def test_a_message_that_has_its_answer_gets_that_one(maya: Any, bot: Agent, endpoint: Endpoint) -> None:
    conversation = new_conversation(maya)
    first = ask(maya, conversation)
    before = everything()
    assert ask(maya, conversation).content == first.content
    assert everything() == before
    assert len(endpoint.asked) == 1
    # Whose answer was deleted is said anew; so is what was answered long ago.
    row = Conversation.objects.get(pk=conversation)
    delete_message(conversation=row, message_id=first.json()["data"]["message_id"], by=_system(row))
    second = ask(maya, conversation).json()["data"]["message_id"]
    assert second != first.json()["data"]["message_id"]
    Message.objects.filter(pk=second).update(created_at=timezone.now() - timedelta(seconds=31))
    assert ask(maya, conversation).json()["data"]["message_id"] != second


def _system(row: Conversation) -> Any:
    return system_caller(row.client)


@pytest.mark.contract("assistant: include_context sends")
def test_the_history_goes_along_unless_it_is_not_wanted(
    maya: Any, bot: Agent, endpoint: Endpoint, acme: Any, rival: Any, api: Any
) -> None:
    conversation = new_conversation(maya)
    other = new_conversation(maya)
    say(maya, other, "Of another conversation: canary-1")
    say(maya, conversation, "Hello")
    ask(maya, conversation, QUESTION)
    ask(maya, conversation, "And order 8?")
    ask(maya, conversation, "And order 9?", include_context=False)
    roles = [[message["role"] for message in asked.body["messages"]] for asked in endpoint.asked]
    assert roles == [
        ["system", "user", "user"], ["system", "user", "user", "assistant", "user"], ["system", "user"],
    ]  # fmt: skip
    assert all("canary" not in asked.text for asked in endpoint.asked)
    Agent.objects.filter(pk=bot.pk).update(context_tokens=260)
    ask(maya, conversation, "And order 10?")
    assert len(endpoint.asked[-1].body["messages"]) < 5


@pytest.mark.contract("assistant: Call 6 without agent_id", "assistant: Errors: 400 validation")
def test_whose_answer_it_is(maya: Any, acme: Any, bot: Agent, rival: Any, endpoint: Endpoint) -> None:
    """the conversation's, else the client's default, else 404; a human agent is 400"""
    other = agent_at(acme.client, endpoint.url, agent_id="other", name="Other", is_default=False)
    Agent.objects.filter(pk=bot.pk).update(is_default=True)
    conversation, theirs = new_conversation(maya), new_conversation(maya, agent_id=other.pk)

    def author(answer: Any) -> int:
        agent_id = Message.objects.get(pk=answer.json()["data"]["message_id"]).sender_agent_id
        return int(agent_id or 0)

    assert author(ask(maya, conversation)) == bot.pk
    assert author(ask(maya, theirs)) == other.pk
    assert author(ask(maya, theirs, "And now?", agent_id=bot.pk)) == bot.pk
    before = everything()
    human = ask(maya, conversation, "x", agent_id=acme.agents[0].pk)
    assert (human.status_code, human.json()["errors"]) == (400, {"agent_id": ["Must be an AI agent."]})
    foreign, system = rival.agents[1].pk, Agent.objects.get(client=acme.client, kind="system").pk
    for agent_id in (foreign, system, 999_999):
        unknown = ask(maya, conversation, "x", agent_id=agent_id)
        assert (unknown.status_code, unknown.json()) == (404, {"success": False, "message": "Agent not found"})
    for body in ({}, {"message": " "}, {"message": 7}, {"message": "x", "agent_id": "7"}, {"message": "x" * 65_537}):
        wrong = maya.post(f"/chat/conversations/{conversation}/ai-response", body)
        assert (wrong.status_code, wrong.json()["message"]) == (400, "Validation error")
    assert everything() == before
    Agent.objects.filter(client=acme.client, kind="ai").update(is_active=False)
    assert ask(maya, conversation, "x").json() == {"success": False, "message": "Agent not found"}


def test_a_closed_conversation_and_one_who_may_not_write(
    maya: Any, acme: Any, bot: Agent, api: Any, endpoint: Any
) -> None:
    conversation = new_conversation(maya)
    reader = acme.users[1].user
    take_part(conversation, reader, can_write=False)
    row = Conversation.objects.get(pk=conversation)
    before = everything()
    assert ask(api(reader), conversation).status_code == 403
    change_status(conversation=row, status="closed", by=_system(row))
    before = everything()
    closed = ask(maya, conversation)
    assert (closed.status_code, closed.json()["message"]) == (409, "Conversation is closed")
    assert everything() == before
    assert endpoint.asked == []


@pytest.mark.contract("assistant: If the provider fails", "assistant: Errors: 400 validation")
@pytest.mark.parametrize(
    ("behave", "status", "message"),
    [
        (lambda h, a: h.send_json({"error": {"message": "no"}}, 500), 502, "AI provider unavailable"),
        (lambda h, a: h.send(b"{"), 502, "AI provider unavailable"),
        (lambda h, a: h.send_json({"choices": []}), 502, "AI provider unavailable"),
        (lambda h, a: h.hang(), 504, "AI provider timed out"),
    ],
    ids=["an error", "broken JSON", "no choices", "it hangs"],
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_provider_that_fails(
    maya: Any, bot: Agent, endpoint: Any, behave: Any, status: int, message: str, accept: str
) -> None:
    """the user's message stays, no answer is made up, and a retry is safe; nothing is streamed before it is clear"""
    Agent.objects.filter(pk=bot.pk).update(timeout=1)
    well, endpoint.behave = endpoint.behave, behave
    conversation = new_conversation(maya)
    failed = ask(maya, conversation, headers={"Accept": accept})
    assert (failed.status_code, failed.json()) == (status, {"success": False, "message": message})
    assert said(conversation) == [(QUESTION, True)]
    assert AgentUsage.objects.get().failures == 1
    endpoint.behave = well
    assert ask(maya, conversation).status_code == 200
    assert said(conversation) == [(QUESTION, True), (ANSWER, False)]


@pytest.mark.contract("assistant: It never invents text", "assistant: Call 6 stores the user's message")
def test_knowledge_that_has_nothing_says_so_and_a_human_takes_over(maya: Any, acme: Any) -> None:
    conversation = new_conversation(maya)
    answer = ask(maya, conversation)
    sentence = "I have no answer to that. A person from our team will take over."
    assert answer.json()["data"]["ai_response"] == sentence
    assert (answer.json()["data"]["tokens_used"], answer.json()["data"]["cost"]) == (0, 0)
    row = Conversation.objects.get(pk=conversation)
    assert row.status == "escalated"
    change = StateChange.objects.get(conversation=row, new="escalated")
    assert change.reason == "the knowledge does not cover the question"
    note = Message.objects.get(conversation=row, visibility="private")
    assert note.text == (
        "Handed over to a person: the knowledge does not cover the question.\n"
        f"The customer wrote last:\n- {QUESTION}"
    )  # fmt: skip
    assert said(conversation) == [(QUESTION, True), (sentence, False)]


# --- as a stream ---


def test_an_answer_as_it_is_made(maya: Any, bot: Agent) -> None:
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    *deltas, (name, done) = events(answer)
    assert {kind for kind, _ in deltas} == {"delta"}
    assert "".join(data["text"] for _, data in deltas) == ANSWER
    assert name == "done"
    again = ask(maya, conversation)
    assert done == again.json()
    assert events(ask(maya, conversation, headers={"Accept": "text/event-stream"})) == [
        ("delta", {"text": ANSWER}), ("done", again.json()),
    ]  # fmt: skip
    assert threads._places._free._value == max(1, 4 // 2)  # every place is free again


def test_a_stream_that_fails_on_the_way_says_so(maya: Any, bot: Agent, endpoint: Any) -> None:
    long = "word " * 200
    endpoint.behave = lambda h, a: h.send(chunks(long, ends=False), "text/event-stream")
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    *deltas, last = events(answer)
    assert len(deltas) > 10
    assert last == ("error", {"success": False, "message": "AI provider unavailable"})
    assert said(conversation) == [(QUESTION, True)]
    assert AgentUsage.objects.get().failures == 1


@pytest.mark.django_db(transaction=True)
def test_who_goes_away_ends_the_providers_call(maya: Any, bot: Agent, endpoint: Any) -> None:
    endpoint.behave = lambda h, a: h.send(chunks("word " * 200), "text/event-stream")
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, headers={"Accept": "text/event-stream"})
    next(iter(answer.streaming_content))
    answer.close()
    assert said(conversation) == [(QUESTION, True)]
    used = AgentUsage.objects.get()
    assert (used.answers, used.failures) == (0, 1)
    assert used.tokens_in > 0
    unread = ask(maya, conversation, headers={"Accept": "text/event-stream"})
    unread.close()
    assert threads._places._free._value == 2


@pytest.mark.contract("assistant: It never invents text")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize("kind", ["a provider", "knowledge"])
def test_who_asks_for_a_person_gets_one(
    maya: Any, acme: Any, bot: Agent, endpoint: Endpoint, kind: str, accept: str
) -> None:
    """whichever door asks: no provider is asked, and staff are told why"""
    if kind == "knowledge":
        Agent.objects.filter(pk=bot.pk).update(provider="knowledge")
    conversation = new_conversation(maya)
    answer = ask(maya, conversation, "I want to talk to a human", headers={"Accept": accept}, agent_id=bot.pk)
    sentence = "A person from our team will answer you here."
    assert answer.status_code == 200
    assert sentence in (b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode())
    assert endpoint.asked == []
    assert said(conversation)[-1] == (sentence, False)
    change = StateChange.objects.get(conversation=conversation, new="escalated")
    assert change.reason == "the customer asks for a person"


def test_an_answer_is_streamed_where_that_is_preferred(maya: Any, bot: Agent, endpoint: Endpoint) -> None:
    kinds = {
        "application/json, text/event-stream;q=0.5": "application/json", "*/*": "application/json",
        "text/event-stream, application/json;q=0.9": "text/event-stream", "text/event-stream": "text/event-stream",
    }  # fmt: skip
    for accept, kind in kinds.items():
        answer = ask(maya, new_conversation(maya), headers={"Accept": accept}, agent_id=bot.pk)
        assert answer.headers["Content-Type"].partition(";")[0] == kind, accept
        assert not answer.streaming or b"".join(answer.streaming_content)


def test_a_question_that_is_too_long_names_its_field(maya: Any, bot: Agent) -> None:
    answer = ask(maya, new_conversation(maya), "é" * 40_000, agent_id=bot.pk)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["message"])
