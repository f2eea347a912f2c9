"""One reply to a message at most, whoever asks at the same time and whatever happens while a provider thinks."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django_tasks_db.models import DBTaskResult

from chatplatform.tests.ai import ANSWER, QUESTION, STREAM, accepts, ask, events
from chatplatform.tests.store import new_conversation
from clients.callers import Caller, caller_of_user, system_caller
from conversations.actions import change_status, delete_conversation
from conversations.models import Conversation
from messaging.actions import delete_message, send_message
from messaging.bots import asking
from messaging.models import AgentUsage, Message
from messaging.senders import as_agent, as_user
from messaging.tests.llm import Endpoint, agent_at, serving
from messaging.tests.recount import assert_whole

pytestmark = pytest.mark.django_db(transaction=True)


def asked_by(user: Any, conversation: int) -> Message:
    """The user's question through a door whose messages bots answer by themselves."""
    row = Conversation.objects.get(pk=conversation)
    return send_message(conversation=row, sender=as_user(caller_of_user(user, None)), text=QUESTION)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each gives, in their order."""
    given: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            given[place] = call()
        finally:
            connection.close()

    runners = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(120)
    return given


def all_thinking(count: int) -> Callable[[Any, Any], None]:
    """An endpoint that answers once so many calls are under way."""
    gate = threading.Barrier(count)

    def behave(handler: Any, asked: Any) -> None:
        gate.wait(60)
        handler.say(ANSWER, asked)

    return behave


def assert_one_reply(question: Message, calls: int) -> Message:
    answer = Message.objects.get(reply_to=question)
    assert Message.objects.count() == 2
    assert AgentUsage.objects.get().answers == calls  # what was asked for was paid for
    assert_whole()
    return answer


@pytest.mark.contract("behaviour: one reply slot")
def test_a_worker_and_call_6_at_once(acme: Any, api: Any) -> None:
    user = acme.users[0].user
    with serving(all_thinking(2)) as endpoint:
        bot = agent_at(acme.client, endpoint.url)
        conversation = new_conversation(api(user), agent_id=bot.pk)
        question = asked_by(user, conversation)
        assert DBTaskResult.objects.count() == 1
        outcome, called = at_once(
            lambda: asking.answer_by_itself(question.pk), lambda: ask(api(user), conversation)
        )  # fmt: skip
    answer = assert_one_reply(question, calls=2)
    assert outcome in ("answered", "silent")
    assert (called.status_code, called.json()["data"]["message_id"]) == (200, answer.pk)


def test_two_workers_with_one_task(acme: Any, api: Any) -> None:
    """the first was thought dead and goes on"""
    user = acme.users[0].user
    with serving(all_thinking(2)) as endpoint:
        bot = agent_at(acme.client, endpoint.url)
        question = asked_by(user, new_conversation(api(user), agent_id=bot.pk))
        outcomes = at_once(*[lambda: asking.answer_by_itself(question.pk)] * 2)
    assert sorted(outcomes) == ["answered", "silent"]
    assert_one_reply(question, calls=2)


def test_a_worker_and_a_person_at_once(acme: Any, api: Any) -> None:
    """whoever is first: nothing of the bot's stands after the person's words"""
    user, person = acme.users[0].user, acme.agents[0]
    with serving(all_thinking(1)) as endpoint:
        bot = agent_at(acme.client, endpoint.url)
        for _ in range(5):
            conversation = new_conversation(api(user), agent_id=bot.pk)
            question = asked_by(user, conversation)
            row = Conversation.objects.get(pk=conversation)
            outcome, _said = at_once(
                lambda question=question: asking.answer_by_itself(question.pk),
                lambda row=row: send_message(conversation=row, sender=as_agent(person), text="I look"),
            )
            said = list(Message.objects.of(conversation).order_by("seq").values_list("text", flat=True))
            expected = {"answered": [QUESTION, ANSWER, "I look"], "silent": [QUESTION, "I look"]}
            assert said == expected[outcome]
    assert_whole()


def _held(row: Conversation, question: Message, by: Caller) -> None:
    Message.objects.filter(pk=question.pk).update(visibility="held")


MEANWHILE: dict[str, tuple[Any, int]] = {
    "closed": (lambda row, q, by: change_status(conversation=row, status="closed", by=by), 409),
    "deleted": (lambda row, q, by: delete_conversation(conversation=row, by=by), 404),
    "the question deleted": (lambda row, q, by: delete_message(conversation=row, message_id=q.pk, by=by), 502),
    "the question held": (_held, 502),
}


@pytest.mark.contract("behaviour: silent once a human agent")
@accepts
def test_call_6_stores_no_answer_to_what_is_no_question_any_more(acme: Any, api: Any, accept: str) -> None:
    by, maya = system_caller(acme.client), api(acme.users[0].user)
    happens: Any = None

    def behave(handler: Any, asked: Any) -> None:
        question = Message.objects.latest("pk")
        happens(question.conversation, question, by)
        connection.close()
        handler.say(ANSWER, asked)

    endpoint: Endpoint
    with serving(behave) as endpoint:
        bot = agent_at(acme.client, endpoint.url)
        for number, (name, (change, status)) in enumerate(MEANWHILE.items(), 1):
            happens = change
            refused = ask(maya, new_conversation(maya), accept=accept)
            if accept == STREAM:  # its words were on their way: the end takes them back
                event, told = events(refused)[-1]
                assert (name, event, told["success"]) == (name, "error", False)
            else:
                assert (name, refused.status_code, refused.json()["success"]) == (name, status, False)
            assert AgentUsage.objects.get().answers == number  # it was paid for
    assert not Message.objects.filter(sender_agent=bot).exists()
