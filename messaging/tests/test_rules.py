"""Writes of rules, auto-tags and holidays; many at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from chatplatform.errors import Invalid, NotFound
from clients import actions as people
from clients.callers import system_caller
from clients.models import Client
from conversations.actions import Person, create_conversation, delete_conversation
from messaging.actions import (
    create_auto_tag,
    create_rule,
    delete_auto_tag,
    delete_rule,
    send_message,
    update_auto_tag,
    update_rule,
)
from messaging.actions.rules import clean_words
from messaging.integrity import verify
from messaging.models import AutoTag, CommunicationRule, Message, RuleReply
from messaging.rules.holidays import holidays_of, set_holidays
from messaging.senders import as_contact


@pytest.fixture
def conversation(acme: Any) -> Any:
    return create_conversation(
        client_id=acme.client.pk, by=system_caller(acme.client), channel="website",
        people=[Person(contact_id=acme.contacts[0].pk), Person(agent_id=acme.agents[0].pk)],
    )  # fmt: skip


def make(acme: Any, **fields: Any) -> Any:
    given = {"name": "Never", "type": "deny", "channel": "website", "auto_reply": "Nobody is here.", **fields}
    return create_rule(client=acme.client, **given)


def at_once(number: int, work: Any) -> list[Any]:
    barrier = threading.Barrier(number)

    def run(n: int) -> Any:
        try:
            barrier.wait(30)
            return work(n)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.contract("workspace: when a customer writes outside")
def test_messages_at_the_same_moment_get_one_reply(acme: Any, conversation: Any) -> None:
    make(acme, route_to="night")
    sender = as_contact(acme.contacts[0])
    at_once(8, lambda n: send_message(conversation=conversation, sender=sender, text=f"Message {n}"))
    texts = list(Message.objects.of(conversation.pk).order_by("seq").values_list("text", flat=True))
    assert texts.count("Nobody is here.") == 1
    assert texts[1] == "Nobody is here."  # after the first of them
    assert (len(texts), RuleReply.objects.count()) == (9, 1)
    conversation.refresh_from_db()
    assert (conversation.message_count, conversation.queue) == (9, "night")
    moves = [event.data for event in conversation.events.filter(kind="conversation.updated")]
    assert moves == [{"changes": {"queue": ["", "night"]}}]
    assert [difference for _, differences in verify() for difference in differences] == []


@pytest.mark.django_db(transaction=True)
def test_auto_tags_at_the_same_moment_come_once(acme: Any, conversation: Any) -> None:
    sender = as_contact(acme.contacts[0])
    at_once(6, lambda n: send_message(conversation=conversation, sender=sender, text="precio y error"))
    assert sorted(tag.name for tag in conversation.tags.all()) == ["comercial", "soporte_tecnico"]
    assert conversation.events.filter(kind="conversation.updated").count() == 1


@pytest.mark.django_db(transaction=True)
def test_rules_that_go_while_customers_write(acme: Any, conversation: Any) -> None:
    """no message fails, and no reply of a rule that is gone is told twice"""
    rules = [make(acme, name=f"{n}") for n in range(4)]
    sender = as_contact(acme.contacts[0])

    def work(n: int) -> None:
        if n % 2:
            delete_rule(rules[n // 2])
        else:
            send_message(conversation=conversation, sender=sender, text=f"Message {n}")

    at_once(8, work)
    texts = list(Message.objects.of(conversation.pk).values_list("text", flat=True))
    assert sum(text.startswith("Message") for text in texts) == 4
    assert CommunicationRule.objects.count() == 0
    send_message(conversation=conversation, sender=sender, text="Message after")
    assert Message.objects.of(conversation.pk).latest("seq").text == "Message after"
    assert [difference for _, differences in verify() for difference in differences] == []


@pytest.mark.django_db(transaction=True)
def test_no_more_rules_than_two_hundred_however_many_make_them(acme: Any) -> None:
    CommunicationRule.objects.bulk_create(
        CommunicationRule(client=acme.client, name=f"{n}", type="deny", channel="fax", route_to="x") for n in range(197)
    )

    def work(n: int) -> bool:
        try:
            make(acme)
        except Invalid:
            return False
        return True

    assert sorted(at_once(6, work)) == [False] * 3 + [True] * 3
    assert CommunicationRule.objects.count() == 200


def test_a_reply_that_was_sent_stays_sent_when_the_hours_change(acme: Any, conversation: Any) -> None:
    """what counts is whether it was open since"""
    sender = as_contact(acme.contacts[0])
    with time_machine.travel("2027-03-01T19:00:00Z", tick=False) as clock:
        rule = make(acme, type="allow", start=_clock("09:00"), end=_clock("18:00"), channel="")

        def replies() -> int:
            send_message(conversation=conversation, sender=sender, text="Hello?")
            return Message.objects.of(conversation.pk).filter(text="Nobody is here.").count()

        assert replies() == 1
        update_rule(rule=rule, end=_clock("17:00"))
        clock.shift(timedelta(hours=1))
        assert replies() == 1
        update_rule(rule=rule, end=_clock("19:30"))  # by these hours it was open at the last reply
        assert replies() == 2


def _clock(text: str) -> Any:
    from datetime import time

    return time.fromisoformat(text)


# --- checks ---


@pytest.mark.parametrize(
    ("words", "clean"),
    [
        (["Precio", "précio", " costo "], ["Precio", "costo"]),
        (["no   funciona"], ["no funciona"]),
        (["24/7"], ["24/7"]),
        ([], None), ([""], None), (["!!!"], None), (["_"], None), (["a b c d e"], None), (["x" * 51], None),
        (["a\0b"], None), ([f"w{n}" for n in range(101)], None), (["\ud800x"], None),
    ],
)  # fmt: skip
def test_keywords(words: list[str], clean: list[str] | None) -> None:
    if clean is None:
        with pytest.raises(Invalid) as refused:
            clean_words(words)
        assert list(refused.value.fields) == ["words"]
    else:
        assert clean_words(words) == clean


def test_auto_tags_are_checked_counted_and_told(acme: Any) -> None:
    row = create_auto_tag(client=acme.client, words=["box"], tag="  my   boxes ")
    assert (row.words, row.tag) == (["box"], "my boxes")
    version = Client.objects.get(pk=acme.client.pk).rules_version
    for tag in ("", " ", "x" * 51, "ﷺ" * 50):
        with pytest.raises(Invalid) as refused:
            update_auto_tag(auto_tag=row, words=["box"], tag=tag)
        assert list(refused.value.fields) == ["tag"]
    assert Client.objects.get(pk=acme.client.pk).rules_version == version
    update_auto_tag(auto_tag=row, words=["crate"], tag="crates")
    delete_auto_tag(row)
    assert Client.objects.get(pk=acme.client.pk).rules_version == version + 2
    for gone in (lambda: delete_auto_tag(row), lambda: update_auto_tag(auto_tag=row, words=["x"], tag="x")):
        with pytest.raises(NotFound):
            gone()
    AutoTag.objects.bulk_create(AutoTag(client=acme.client, words=["x"], tag="x") for _ in range(997))
    with pytest.raises(Invalid):
        create_auto_tag(client=acme.client, words=["box"], tag="boxes")


def test_holidays_of_a_client(acme: Any) -> None:
    set_holidays(acme.client.pk, [date(2027, 12, 25), date(2027, 1, 1), date(2027, 12, 25)])
    client = Client.objects.get(pk=acme.client.pk)
    assert client.settings["holidays"] == ["2027-01-01", "2027-12-25"]
    assert holidays_of(client.settings) == {date(2027, 1, 1), date(2027, 12, 25)}
    set_holidays(client.pk, [])
    later = Client.objects.get(pk=client.pk)
    assert "holidays" not in later.settings
    assert later.rules_version == client.rules_version + 1
    with pytest.raises(Invalid):
        set_holidays(client.pk, [date(2027, 1, 1) + timedelta(days=n) for n in range(1001)])


@pytest.mark.parametrize(
    "columns",
    [
        {"start": "09:00"}, {"end": "09:00"}, {"start": "09:00", "end": "09:00"}, {"type": "x"},
        {"auto_reply": "", "route_to": ""},
    ],
)  # fmt: skip
def test_the_database_holds_what_a_rule_is(acme: Any, columns: dict[str, str]) -> None:
    row = make(acme, route_to="night")
    with pytest.raises(IntegrityError), transaction.atomic():
        CommunicationRule.objects.filter(pk=row.pk).update(**columns)
    assert connection.vendor in ("sqlite", "postgresql")


def test_a_reply_is_one_row(acme: Any, conversation: Any) -> None:
    rule = make(acme)
    send_message(conversation=conversation, sender=as_contact(acme.contacts[0]), text="Hello")
    [reply] = RuleReply.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleReply.objects.create(conversation=conversation, rule=rule, replied_at=reply.replied_at)


def test_a_new_time_zone_counts_the_rules_up_and_another_name_does_not(acme: Any) -> None:
    people.update_client(acme.client, name="Acme Ltd")
    version = Client.objects.get(pk=acme.client.pk).rules_version
    people.update_client(acme.client, language="es")
    assert Client.objects.get(pk=acme.client.pk).rules_version == version
    people.update_client(acme.client, time_zone="Asia/Tokyo")
    assert Client.objects.get(pk=acme.client.pk).rules_version == version + 1


def test_a_conversation_that_goes_for_good_takes_its_replies_along(acme: Any, conversation: Any) -> None:
    make(acme)
    send_message(conversation=conversation, sender=as_contact(acme.contacts[0]), text="Hello")
    assert RuleReply.objects.count() == 1
    delete_conversation(conversation=conversation, by=system_caller(acme.client))
    with time_machine.travel(timezone.now() + timedelta(days=5000), tick=False):
        call_command("apply_retention")
    assert not RuleReply.objects.exists()
    assert not Message.objects.exists()
    assert CommunicationRule.objects.exists()
