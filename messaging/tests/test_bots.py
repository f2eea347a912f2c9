"""Bots that answer by themselves: which messages, which agent, once, and never over a human."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django_tasks_db.models import DBTaskResult

from clients.actions import change_settings, update_agent
from clients.callers import caller_of_user, system_caller
from clients.models import Agent
from conversations import actions
from conversations.actions import Person, change_status
from conversations.models import Conversation, StateChange
from messaging import rulebook
from messaging.actions import delete_message
from messaging.bots import asking
from messaging.bots.sentences import TO_A_PERSON, asks_for_a_person
from messaging.erasure import erase_contact
from messaging.models import AgentUsage, Message
from messaging.senders import as_agent, as_user
from messaging.tests.bots import chat, said, work, write
from messaging.tests.llm import Endpoint, agent_at, serving

pytestmark = pytest.mark.django_db
ANSWER = "It left this morning."


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as one:
        yield one


@pytest.fixture
def bot(acme: Any, endpoint: Endpoint) -> Agent:
    return agent_at(acme.client, endpoint.url)


@pytest.mark.contract("behaviour: use_bot is true by default", "behaviour: The conversation's AI agent answers")
def test_a_customers_message_is_answered_once(acme: Any, bot: Agent, endpoint: Endpoint) -> None:
    row = chat(acme)
    question = write(acme, row)
    assert work() == ["answered"]
    answer = Message.objects.get(reply_to=question)
    assert (answer.text, answer.sender_agent, answer.tokens_used) == (ANSWER, bot, 30)
    row.refresh_from_db()
    assert (row.status, row.waiting_since) == ("active", None)
    DBTaskResult.objects.update(
        status="READY", run_after="2000-01-01T00:00:00Z"
    )  # its worker was killed just before it said so
    assert work() == ["silent"]
    assert said(row) == ["Where is order 7?", ANSWER]
    assert len(endpoint.asked) == 1
    assert AgentUsage.objects.get().cost_micro == 9


@pytest.mark.contract("behaviour: use_bot is true by default", "behaviour: The conversation's AI agent answers")
def test_which_conversations_a_bot_serves(acme: Any, bot: Agent, endpoint: Endpoint) -> None:
    other = agent_at(acme.client, endpoint.url, agent_id="other", name="Other", is_default=False)
    Agent.objects.filter(pk=bot.pk).update(is_default=True)
    cases: list[tuple[Conversation, Agent | None]] = [
        (chat(acme), bot),
        (chat(acme, use_bot=False), None),
        (chat(acme, use_bot=False, bot_id="other"), other),
        (chat(acme, use_bot=False, bot_id="free text"), None),
        (chat(acme, use_bot=False, bot_id="agent_1"), None),  # a person's
        (chat(acme, bot_id="other"), other),
        (chat(acme, use_bot=False, people=[Person(agent_id=other.pk)], assigned_agent_id=None), other),
        (chat(acme, use_bot=False, people=[Person(agent_id=bot.pk)], bot_id="other"), bot),  # in charge
    ]
    for row, _ in cases:
        write(acme, row)
    work()
    for number, (row, agent) in enumerate(cases):
        answer = Message.objects.of(row.pk).exclude(reply_to=None).first()
        assert (number, answer and answer.sender_agent) == (number, agent)


def test_nobody_elses_message_is_answered(acme: Any, bot: Agent) -> None:
    row = chat(acme)
    write(acme, row, sender=as_agent(acme.agents[0]))
    write(acme, chat(acme), sender=as_agent(bot))
    write(acme, chat(acme), sender=as_user(caller_of_user(acme.staff.user, acme.agents[0])))
    assert not DBTaskResult.objects.exists()
    write(acme, chat(acme), sender=as_user(caller_of_user(acme.users[0].user, None)))
    assert work() == ["answered"]


@pytest.mark.contract("behaviour: nothing to answer from")
def test_a_bot_with_nothing_to_answer_from_is_silent(acme: Any, endpoint: Endpoint) -> None:
    row = chat(acme)  # the default one is `knowledge`, without articles
    write(acme, row)
    assert not DBTaskResult.objects.exists()
    agent = agent_at(acme.client, "", model="")
    write(acme, row)
    assert not DBTaskResult.objects.exists()
    Agent.objects.filter(pk=agent.pk).update(base_url=endpoint.url, model="m")
    rulebook.forget()
    write(acme, row)
    update_agent(agent=agent, is_active=False)
    assert work() == ["silent"]
    assert [Conversation.objects.get().status, len(said(row))] == ["new", 3]


STOPS: dict[str, Any] = {
    "a human has written": lambda acme, row, q: write(acme, row, "I look", sender=as_agent(acme.agents[0])),
    "staff as a user": lambda acme, row, q: write(
        acme, row, "I look", sender=as_user(caller_of_user(acme.staff.user, acme.agents[0]))
    ),
    "escalated": lambda acme, row, q: _status(row, "escalated"),
    "resolved": lambda acme, row, q: _status(row, "resolved"),
    "closed": lambda acme, row, q: _status(row, "closed"),
    "quarantined": lambda acme, row, q: Message.objects.filter(pk=q.pk).update(visibility="held"),
    "the message deleted": lambda acme, row, q: delete_message(conversation=row, message_id=q.pk, by=_system(row)),
    "the conversation deleted": lambda acme, row, q: actions.delete_conversation(conversation=row, by=_system(row)),
    "the bot taken away": lambda acme, row, q: Conversation.objects.filter(pk=row.pk).update(use_bot=False),
}


def _status(row: Conversation, status: str) -> None:
    change_status(conversation=row, status=status, by=_system(row))


def _system(row: Conversation) -> Any:
    return system_caller(row.client)


@pytest.mark.contract("behaviour: silent once a human agent")
@pytest.mark.parametrize("why", STOPS)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_bot_is_silent(acme: Any, bot: Agent, endpoint: Endpoint, why: str, when: str) -> None:
    """before it is asked, and where it happens while the provider thinks: then in the transaction of the answer"""
    row = chat(acme)
    question = write(acme, row)
    if when == "before":
        STOPS[why](acme, row, question)
        assert work() == ["silent"]
        assert endpoint.asked == []
    else:
        real = asking.provider_for

        class Meanwhile:
            def __init__(self, given: Any) -> None:
                self.provider, self.is_remote = real(given), True

            def answer(self, asked: Any) -> Any:
                outcome = self.provider.answer(asked)
                STOPS[why](acme, row, question)
                return outcome

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "provider_for", Meanwhile)
            assert work() == ["silent"]
        assert AgentUsage.objects.get().answers == 1  # it was paid for
    assert not Message.objects.filter(sender_agent=bot).exists()


@pytest.mark.contract("behaviour: silent once a human agent")
def test_after_it_was_resolved_a_new_question_is_answered(acme: Any, bot: Agent) -> None:
    row = chat(acme)
    _status(row, "resolved")
    write(acme, row)
    assert work() == ["answered"]


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda h, a: h.send_json({}, 500), "AI provider unavailable (it answered 500)"),
        (lambda h, a: h.hang(), "AI provider timed out (no whole answer within 1 s)"),
        (lambda h, a: h.send(b"{"), "AI provider unavailable (the answer is not JSON)"),
    ],
    ids=["an error", "it hangs", "broken JSON"],
)
def test_a_provider_that_fails_hands_over(acme: Any, bot: Agent, endpoint: Any, behave: Any, reason: str) -> None:
    Agent.objects.filter(pk=bot.pk).update(timeout=1)
    endpoint.behave = behave
    row = chat(acme)
    write(acme, row, "Hello")
    write(acme, row, "Where is order 7?")
    assert work() == ["handed over", "silent"]
    row.refresh_from_db()
    assert row.status == "escalated"
    assert StateChange.objects.get(conversation=row, new="escalated").reason == reason
    [note] = Message.objects.of(row.pk).filter(visibility="private")
    assert note.text == (
        f"Handed over to a person: {reason}.\nThe customer wrote last:\n- Hello\n- Where is order 7?"
    )  # fmt: skip
    assert said(row) == ["Hello", "Where is order 7?"]  # nothing is made up


def test_an_erased_customers_words_are_not_left_in_a_note(acme: Any, bot: Agent, endpoint: Any) -> None:
    endpoint.behave = lambda h, a: h.send_json({}, 500)
    row = chat(acme)
    write(acme, row, "I am canary-7")
    assert work() == ["handed over"]
    assert Message.objects.filter(text__contains="canary-7").count() == 2
    erase_contact(contact=acme.contacts[0])
    assert not Message.objects.filter(text__contains="canary-7").exists()


def test_over_the_months_limit_a_human_takes_over(acme: Any, bot: Agent, endpoint: Endpoint) -> None:
    change_settings(acme.client.pk, ai={"monthly_limit": "0"})
    row = chat(acme)
    write(acme, row)
    assert work() == ["handed over"]
    row.refresh_from_db()
    assert (row.status, endpoint.asked, len(said(row))) == ("escalated", [], 1)


def test_who_asks_for_a_person_gets_one(acme: Any, bot: Agent, endpoint: Endpoint) -> None:
    acme.client.__class__.objects.filter(pk=acme.client.pk).update(language="es")
    row = chat(acme)
    write(acme, row, "Quiero hablar con una persona, por favor")
    assert work() == ["handed over"]
    row.refresh_from_db()
    assert (row.status, said(row)[1:], endpoint.asked) == ("escalated", [TO_A_PERSON["es"]], [])
    write(acme, row, "Hello?")
    assert len(DBTaskResult.objects.all()) == 1


ASKING = (
    "I want to talk to a human", "Can I speak with a real person please?", "human", "agent please", "Live agent!",
    "Quiero hablar con un asesor", "¿Me puede comunicar con una persona?", "Necesito un humano", "OPERADOR",
    "Posso falar com um atendente?", "Quero falar com alguém", "atendimento humano", "pessoa real por favor",
    "Saya mau bicara dengan orang", "Tolong hubungkan saya dengan petugas", "manusia", "bisa ngobrol sama admin?",
)  # fmt: skip
NOT_ASKING = (
    "Where is order 7?", "The agent who came was nice", "I spoke with nobody", "¿Hacen envíos a otra persona?",
    "La persona que vino no trajo nada", "Uma pessoa roubou meu pacote", "Orang rumah saya sudah terima",
    "Is this product safe for people with allergies?", "Can I change the person who collects it?", "",
    "Can a person drink decaf? I do not want to talk to a human.",
    "No quiero hablar con una persona", "tidak mau bicara dengan orang",
)  # fmt: skip


def test_the_words_for_a_person() -> None:
    assert [text for text in ASKING if not asks_for_a_person(text)] == []
    assert [text for text in NOT_ASKING if asks_for_a_person(text)] == []
    assert not asks_for_a_person("talk " * 20_000)


def test_the_task_is_of_the_messages_own_transaction(acme: Any, bot: Agent) -> None:
    row = chat(acme)

    @transaction.atomic
    def written_and_undone() -> None:
        write(acme, row)
        assert DBTaskResult.objects.count() == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        written_and_undone()
    assert (DBTaskResult.objects.count(), Message.objects.count()) == (0, 0)
