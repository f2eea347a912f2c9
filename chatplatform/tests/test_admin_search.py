"""The search boxes over messages and conversations in the admin."""

from typing import Any
from unittest import mock

import pytest
from django.test import Client as Browser

from chatplatform.tests.store import statements
from clients.actions import NewTenant
from clients.models import Agent, Client
from conversations.models import Conversation
from messaging.actions import add_note, delete_message, send_message
from messaging.models import HeldMessage, Message
from messaging.search import messages as module
from messaging.senders import as_agent, as_contact

from .admin_world import browser_of, furnish, page, staff_of, superuser

pytestmark = pytest.mark.usefixtures("plain_static_files")

LISTING = page(Message, "changelist")


def said(browser: Browser, query: str, listing: str = LISTING) -> list[str]:
    """The texts of the page's rows, as its HTML has them, newest first."""
    answer = browser.get(f"{listing}?{query}")
    assert answer.status_code == 200, query
    shown = [str(answer.context["cl"].model_admin.preview(row)) for row in answer.context["cl"].result_list]
    body = answer.content.decode()
    assert all(text in body for text in shown)
    assert answer.context["cl"].result_count == len(shown)
    return shown


def say(world: Any, text: str) -> Message:
    return send_message(conversation=world.conversation, sender=as_contact(world.tenant.contacts[0]), text=text)


def test_all_that_the_caller_sees_is_found_and_marked(acme: NewTenant, rival: NewTenant) -> None:
    Client.objects.filter(pk=acme.client.pk).update(search_language="es")
    mine, theirs = furnish(acme), furnish(rival)
    say(mine, "Mi <b>órden</b> no llega")
    say(theirs, "orden rival")
    add_note(conversation=mine.conversation, sender=as_agent(acme.agents[0]), text="ordenes whispered")
    gone = say(mine, "orden gone")
    delete_message(conversation=mine.conversation, message_id=gone.pk, by=module.Caller(client_id=acme.client.pk))
    browser = browser_of(staff_of(acme, "client_admin"))
    first = "Mi &lt;b&gt;<mark>órden</mark>&lt;/b&gt; no llega"
    with mock.patch("messaging.admin.messages.LIST_WINDOW", 1):  # the whole history, not the newest alone
        assert said(browser, "q=orden") == ["<mark>ordenes</mark> whispered", first]
    assert said(browser, "q=orden+-whispered") == [first]
    assert said(browser, "q=%22mi+b+orden%22") == [
        "<mark>Mi</mark> &lt;<mark>b</mark>&gt;<mark>órden</mark>&lt;/b&gt; no llega"
    ]
    assert said(browser, "q=orden&visibility__exact=private") == ["<mark>ordenes</mark> whispered"]
    assert said(browser, "q=orden+from:customer&is_customer__exact=1&type__exact=text") == [first]
    assert said(browser, f"q=orden&conversation={mine.conversation.pk}")[1:] == [first]
    assert said(browser, f"q=orden&conversation={theirs.conversation.pk}") == []
    assert said(browser, "q=nowhere") == said(browser, "q=orden+after:2999-01-01") == []
    assert said(browser, f"q={gone.uuid}") == ["orden gone"]
    assert said(browser_of(superuser()), "q=orden")[1:] == ["<mark>orden</mark> rival", first]
    lone = staff_of(acme, "agent", "lone")
    Agent.objects.create(client=acme.client, agent_id="lone", name="Lone", user=lone, queues=["another"])
    assert said(browser_of(lone), "q=orden") == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("-orden", "There is nothing to find: name a word."),
        ("orden+before:soon", "before: is a day, as in before:2024-01-31."),
        ("x" * 501, "Ensure this field has no more than 500 characters."),
    ],
)
def test_what_cannot_be_searched_for_is_said(acme: NewTenant, query: str, reason: str) -> None:
    furnish(acme)
    browser = browser_of(staff_of(acme, "client_admin"))
    for listing in (LISTING, page(HeldMessage, "changelist")):
        assert said(browser, f"q={query}", listing) == []
        assert reason in browser.get(f"{listing}?q={query}").content.decode()


def test_pages_and_queries(acme: NewTenant) -> None:
    """Every page of what is found, each with as few queries."""
    world = furnish(acme)
    for number in range(60):
        say(world, f"orden {number:02}")
    browser = browser_of(staff_of(acme, "client_admin"))
    texts = []
    for number in (1, 2):
        ran = statements(lambda number=number: texts.append(browser.get(f"{LISTING}?q=orden&p={number}")))
        assert len(ran) <= 13, ran
        assert sum('"search"' in sql for sql in ran) <= 3, ran
    pages = [[row.highlight[-2:] for row in answer.context["cl"].result_list] for answer in texts]
    assert pages == [[f"{n:02}" for n in range(59, 9, -1)], [f"{n:02}" for n in range(9, -1, -1)]]
    assert [answer.context["cl"].result_count for answer in texts] == [60, 60]
    assert browser.get(f"{LISTING}?q=orden&p={'9' * 30}").status_code == 302


def test_the_quarantine(acme: NewTenant, rival: NewTenant) -> None:
    furnish(acme), furnish(rival)
    listing = page(HeldMessage, "changelist")
    browser = browser_of(staff_of(acme, "client_admin"))
    assert said(browser, "q=sell", listing) == ["Acme <mark>sells</mark> &lt;b&gt;why&lt;/b&gt;"]
    assert said(browser, "q=sell+-acme", listing) == said(browser, "q=answers", listing) == []
    assert len(said(browser_of(superuser()), "q=sell+from:customer", listing)) == 2


def test_conversations_by_their_customer(acme: NewTenant) -> None:
    """Case and accents apart, on either database."""
    world = furnish(acme)
    contact = acme.contacts[0]
    contact.name = "Íñigo ÁLVAREZ"
    contact.save()
    browser = browser_of(staff_of(acme, "client_admin"))
    for query in ("inigo+alvarez", "íñigo", "álvarez"):
        answer = browser.get(f"{page(Conversation, 'changelist')}?q={query}")
        assert [row.pk for row in answer.context["cl"].result_list] == [world.conversation.pk], query
