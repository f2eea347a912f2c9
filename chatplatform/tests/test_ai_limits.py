"""Call 6 of `assistant` at its bounds: keys, calls at once, places, money, anti-spam."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from chatplatform.errors import ProviderUnavailable, SpendingLimitReached
from chatplatform.tests.ai import ANSWER, QUESTION, ask, said
from chatplatform.tests.store import everything, new_conversation, say, staff
from clients.actions import change_settings
from clients.models import Agent, IdempotencyKey
from clients.roles import Role
from messaging.bots import threads
from messaging.bots.providers import Asked
from messaging.bots.threads import Places
from messaging.bots.usage import Spending, reserve
from messaging.models import AgentReserve, AgentUsage, Message
from messaging.tests.llm import agent_at, serving

pytestmark = pytest.mark.django_db
KEY = "retry-1"


def test_a_key_that_fails_keeps_the_message_and_one_that_succeeds_its_answer(
    maya: Any, bot: Agent, endpoint: Any
) -> None:
    well, endpoint.behave = endpoint.behave, lambda h, a: h.send(b"{")
    conversation = new_conversation(maya)
    headers = {"Idempotency_Key": KEY}
    assert ask(maya, conversation, headers=headers).status_code == 502
    assert (said(conversation), IdempotencyKey.objects.count()) == ([(QUESTION, True)], 0)
    endpoint.behave = well
    first = ask(maya, conversation, headers=headers)
    say(maya, conversation, "Something else")
    assert ask(maya, conversation, headers={**headers, "Accept": "text/event-stream"}).content == first.content
    assert len(endpoint.asked) == 2


@pytest.mark.django_db(transaction=True)
def test_while_a_provider_is_asked_nothing_is_open_and_a_second_request_with_the_key_waits_for_none(
    acme: Any, api: Any
) -> None:
    seen: dict[str, Any] = {}
    user = api(acme.users[0].user)

    def behave(handler: Any, asked: Any) -> None:
        if "again" not in seen:
            seen["again"] = None
            seen["again"] = ask(user, seen["conversation"], headers={"Idempotency_Key": KEY})
            seen["said"] = say(user, seen["conversation"], "Meanwhile")  # nobody holds the conversation's lock
            connection.close()
        handler.say(ANSWER, asked)

    with serving(behave) as endpoint:
        agent_at(acme.client, endpoint.url)
        seen["conversation"] = new_conversation(user)
        answer = ask(user, seen["conversation"], headers={"Idempotency_Key": KEY})
    assert answer.status_code == 200
    assert seen["again"].status_code == 409
    assert [text for text, _ in said(seen["conversation"])] == [QUESTION, "Meanwhile", ANSWER]


@pytest.mark.django_db(transaction=True)
@pytest.mark.contract("behaviour: one reply slot")
def test_of_many_calls_at_once_one_answer_is_stored(acme: Any, api: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(threads, "_places", Places(64))
    user = api(acme.users[0].user)
    answers: list[Any] = []
    gate = threading.Barrier(4)

    def behave(handler: Any, asked: Any) -> None:
        gate.wait(20)
        handler.say(ANSWER, asked)

    def call() -> None:
        answers.append(ask(user, conversation))
        connection.close()

    with serving(behave) as endpoint:
        bot = agent_at(acme.client, endpoint.url)
        conversation = new_conversation(user)
        say(user, conversation, QUESTION)
        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["data"]["message_id"] for answer in answers}) == 1
    assert said(conversation) == [(QUESTION, True), (ANSWER, False)]
    used = AgentUsage.objects.get()  # all that was asked for was paid for
    assert (used.agent, used.answers, used.tokens_in, used.cost_micro) == (bot, 4, 80, 36)


@pytest.mark.contract("behaviour: Provider calls never hold", "assistant: Errors: 400 validation")
def test_half_of_the_threads_wait_for_providers_at_most(maya: Any, bot: Agent, endpoint: Any, monkeypatch: Any) -> None:
    for threads_of_process, places in [(1, 1), (2, 1), (4, 2), (5, 2), (64, 32)]:
        assert Places(threads_of_process)._free._value == places
    full = Places(2)
    full.take()
    monkeypatch.setattr(threads, "_places", full)
    conversation = new_conversation(maya)
    before = everything()
    for accept in ("application/json", "text/event-stream"):
        refused = ask(maya, conversation, headers={"Accept": accept})
        assert (refused.status_code, refused["Retry-After"]) == (429, "5")
        assert refused.json() == {"success": False, "message": "Too many AI calls at the same time"}
    assert everything() == before
    assert endpoint.asked == []
    say(maya, conversation, "Sending goes on")


def test_the_months_limit(maya: Any, acme: Any, bot: Agent, endpoint: Any) -> None:
    change_settings(acme.client.pk, ai={"monthly_limit": "0.75"})
    conversation = new_conversation(maya)
    assert ask(maya, conversation).status_code == 200
    Spending(bot).count_answer(999_980, 999_990)
    assert AgentUsage.objects.get().cost_micro == 750_000
    refused = ask(maya, conversation, "And order 8?")
    assert (refused.status_code, refused.json()) == (429, {"success": False, "message": "AI spending limit reached"})
    assert 0 < int(refused["Retry-After"]) <= 31 * 86_400 + 3600
    assert len(endpoint.asked) == 1
    assert said(conversation)[-1] == ("And order 8?", True)  # it is not lost
    AgentUsage.objects.update(day="2020-01-31")
    assert ask(maya, conversation, "And order 8?").status_code == 200
    for unreadable in ("x", "NaN", [], "0"):
        change_settings(acme.client.pk, ai={"monthly_limit": unreadable})
        assert ask(maya, conversation, f"More {unreadable}?").status_code == 429


def test_a_message_that_anti_spam_holds_is_not_sent_on(maya: Any, acme: Any, bot: Agent, endpoint: Any) -> None:
    change_settings(
        acme.client.pk,
        antispam={"enabled": True, "sensitivity": "high", "actions": ["quarantine"], "blacklist_keywords": ["casino"]},
    )
    conversation = new_conversation(maya)
    held = ask(maya, conversation, "Win at our casino")
    again = ask(maya, conversation, "Win at our casino")
    assert [held.status_code, again.status_code] == [502, 502]
    assert Message.objects.filter(visibility="held").count() == 1
    assert (said(conversation), endpoint.asked) == ([], [])


def test_staff_may_ask_too(acme: Any, api: Any, maya: Any, bot: Agent) -> None:
    conversation = new_conversation(maya)
    answer = ask(api(staff(acme, Role.SUPERVISOR)), conversation)
    assert answer.status_code == 200
    assert said(conversation) == [(QUESTION, False), (ANSWER, False)]


def test_calls_under_way_together_do_not_pass_the_limit(maya: Any, acme: Any, bot: Agent, endpoint: Any) -> None:
    """What one may cost at most is set aside until it is counted, or until its process must be dead."""
    Agent.objects.filter(pk=bot.pk).update(price_in=0, price_out=1, answer_tokens=1000)
    change_settings(acme.client.pk, ai={"monthly_limit": "0.0025"})
    bot.refresh_from_db()
    asked = Asked(bot, QUESTION)
    first, second = reserve(asked), reserve(asked)
    with pytest.raises(SpendingLimitReached):
        reserve(asked)
    refused = ask(maya, new_conversation(maya))
    assert (refused.status_code, endpoint.asked) == (429, [])
    first.count_answer(10, 400)
    assert sorted(AgentReserve.objects.values_list("pk", "cost_micro")) == [(second.reserve, 1000)]
    assert ask(maya, new_conversation(maya)).status_code == 200
    assert [row.pk for row in AgentReserve.objects.all()] == [second.reserve]
    reserve(asked).count_failure(ProviderUnavailable("no", tokens_out=1000))
    with pytest.raises(SpendingLimitReached):  # 0.00141 spent, 0.001 set aside
        reserve(asked)
    assert AgentUsage.objects.get().cost_micro == 1410
    change_settings(acme.client.pk, ai={"monthly_limit": "0.0035"})
    with time_machine.travel(timezone.now() + timedelta(seconds=bot.timeout + 121)):
        reserve(asked)
    assert not AgentReserve.objects.filter(pk=second.reserve).exists()  # whoever set it aside was killed
