"""Articles and canned replies in the admin, and suggested replies on a conversation's page."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.actions import NewTenant
from clients.callers import system_caller
from clients.models import Client
from conversations.actions import Person, change_status, create_conversation
from conversations.models import Conversation
from messaging.actions import add_note, create_article, send_message
from messaging.models import AgentUsage, Article, CannedReply, Message
from messaging.senders import as_agent, as_contact
from messaging.tests.llm import agent_at, serving

from .admin_world import browser_of, page, staff_of, superuser
from .store import everything
from .test_admin_writes import form_of, messages_of, press

pytestmark = pytest.mark.usefixtures("plain_static_files")
NEW = {
    "title": " Returns  and <b>labels</b>", "language": "en", "body": "Within 30 days.", "is_published": "on",
    "keywords": "send back,,label ",
}  # fmt: skip


def errors_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


@pytest.mark.contract("assistant: A provider is configured per agent")
def test_a_supervisor_writes_changes_and_deletes_an_article(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "supervisor"))
    version = Client.objects.get(pk=acme.client.pk).rules_version
    assert browser.post(page(Article, "add"), NEW).status_code == 302
    row = Article.objects.get()
    assert (row.client, row.kind, row.title, row.keywords) == (
        acme.client, "article", "Returns and <b>labels</b>", "send back, label",
    )  # fmt: skip
    shown = browser.get(page(Article, "changelist") + "?q=returns").content.decode()
    assert "Returns and &lt;b&gt;labels&lt;/b&gt;" in shown
    assert "<b>labels" not in shown
    assert form_of(browser, row, body="Within 14 days.").status_code == 302
    assert browser.post(page(CannedReply, "add"), {**NEW, "shortcut": "Back"}).status_code == 302
    reply = CannedReply.objects.get(kind="reply")
    assert reply.shortcut == "back"
    assert browser.post(page(Article, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert list(Article.objects.values_list("kind", flat=True)) == ["reply"]
    assert Client.objects.get(pk=acme.client.pk).rules_version == version + 4
    # Each page has its own kind.
    assert browser.get(page(Article, "change", reply.pk)).status_code == 302


@pytest.mark.parametrize(
    ("model", "fields", "wrong"),
    [
        (Article, {"title": " "}, "title"), (Article, {"body": ""}, "body"), (Article, {"language": "xx"}, "language"),
        (Article, {"body": "x" * 50_001}, "body"), (CannedReply, {"shortcut": "a b"}, "shortcut"),
        (CannedReply, {"shortcut": ""}, "shortcut"), (Article, {"keywords": "x" * 1001}, "keywords"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(acme: NewTenant, model: Any, fields: dict[str, str], wrong: str) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    before = everything()
    assert list(errors_of(browser.post(page(model, "add"), {**NEW, **fields}))) == [wrong]
    assert everything() == before


def test_a_shortcut_is_taken_once(acme: NewTenant, rival: NewTenant) -> None:
    create_article(client=rival.client, kind="reply", title="A", body="B", shortcut="hi")
    browser = browser_of(staff_of(acme, "supervisor"))
    assert browser.post(page(CannedReply, "add"), {**NEW, "shortcut": "hi"}).status_code == 302
    again = browser.post(page(CannedReply, "add"), {**NEW, "shortcut": "HI"})
    assert "Another canned reply has this shortcut." in again.content.decode()
    assert Article.objects.for_client(acme.client.pk).count() == 1


def test_many_are_published_and_withdrawn(acme: NewTenant) -> None:
    rows = [create_article(client=acme.client, title=f"Title {n}", body="Text") for n in range(3)]
    browser = browser_of(staff_of(acme, "supervisor"))
    chosen = {"_selected_action": [row.pk for row in rows[:2]]}
    browser.post(page(Article, "changelist"), {"action": "withdraw_chosen", **chosen})
    assert Article.objects.published().count() == 1
    browser.post(page(Article, "changelist"), {"action": "publish_chosen", **chosen})
    assert Article.objects.published().count() == 3


def test_an_agent_reads_articles_and_writes_none(acme: NewTenant, rival: NewTenant) -> None:
    mine = create_article(client=acme.client, title="Mine", body="Text")
    theirs = create_article(client=rival.client, title="Theirs", body="Text")
    browser = browser_of(staff_of(acme, "agent"))
    listed = browser.get(page(Article, "changelist")).content.decode()
    assert "Mine" in listed
    assert "Theirs" not in listed
    assert browser.get(page(Article, "change", theirs.pk)).status_code == 302
    supervisor = browser_of(staff_of(acme, "supervisor"))
    before = everything()
    assert browser.post(page(Article, "add"), NEW).status_code == 403
    assert browser.post(page(Article, "change", mine.pk), NEW).status_code == 403
    assert browser.post(page(Article, "delete", mine.pk), {"post": "yes"}).status_code == 403
    assert supervisor.post(page(Article, "delete", theirs.pk), {"post": "yes"}).status_code == 302
    assert everything() == before


# --- a file ---


def send(browser: Browser, name: str, body: bytes) -> str:
    """What the list then says."""
    file = SimpleUploadedFile(name, body)
    answer = browser.post(reverse("admin:messaging_article_import"), {"file": file}, follow=True)
    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()
    return messages_of(answer)


def test_a_file_is_brought_in(acme: NewTenant, rival: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "supervisor"))
    assert "Import a file" in browser.get(page(Article, "changelist")).content.decode()
    pages = b"# One\nText\n# <b>Two</b>\n\n# Three\r\nMore"
    told = 'help.md:3: "<b>Two</b>" has no text'
    assert send(browser, "help.md", pages) == f"2 made, 0 updated, 0 unchanged. {told}"
    assert send(browser, "help.md", pages.replace(b"Text", b"New")) == f"0 made, 1 updated, 1 unchanged. {told}"
    assert send(browser, "a.csv", b"key,title,body,shortcut\nk,Hi,Hello,hi\nx,,,\n") == (
        "1 made, 0 updated, 0 unchanged. a.csv:3: title: is required"
    )
    bad = b"key,title,body\n" + b"x,,\n" * 25
    assert send(browser, "a.csv", bad).endswith("5 more lines were left out.")
    assert "a quote of line 2 is never closed" in send(browser, "a.csv", b'key,title,body\nk,"a,b\n')
    assert [row.client for row in Article.objects.order_by("id")] == [acme.client] * 3
    before = everything()
    assert send(browser, "a.exe", b"x").startswith("Choose a file of CSV")
    assert messages_of(browser.post(reverse("admin:messaging_article_import"), follow=True)).startswith("Choose a file")
    assert "larger than 5 MiB" in send(browser, "a.md", b"x" * (5 * 1024 * 1024 + 1))
    assert browser.get(reverse("admin:messaging_article_import")).status_code == 302
    assert everything() == before


def test_who_brings_in_a_file(acme: NewTenant) -> None:
    """those who may write articles of a client of their own"""
    address = reverse("admin:messaging_article_import")
    browsers = [browser_of(staff_of(acme, "agent")), browser_of(superuser())]
    nobody = browser_of(acme.users[0].user)
    before = everything()
    for browser in browsers:
        assert "Import a file" not in browser.get(page(Article, "changelist")).content.decode()
        assert browser.post(address, {"file": SimpleUploadedFile("a.md", b"# A\nB")}).status_code == 403
    assert nobody.post(address).status_code == 302
    assert everything() == before


# --- suggested replies ---


def chat(tenant: NewTenant, *said: str) -> Conversation:
    row = create_conversation(
        client_id=tenant.client.pk, by=system_caller(tenant.client), status="active", channel="whatsapp",
        people=[Person(contact_id=tenant.contacts[0].pk)],
    )  # fmt: skip
    for text in said:
        send_message(conversation=row, sender=as_contact(tenant.contacts[0]), text=text)
    return row


def suggestion(answer: Any) -> str:
    """The card, as it stands on the page."""
    assert answer.status_code == 200
    found = re.search(r'<div class="cp-card cp-suggestion".*?Nothing was sent', answer.content.decode(), re.DOTALL)
    return found[0] if found else ""


def typed(answer: Any) -> str:
    [text] = re.findall(r'<textarea name="text"[^>]*>(.*?)</textarea>', answer.content.decode(), re.DOTALL)
    return str(text)


@pytest.fixture
def article(acme: NewTenant) -> Article:
    return create_article(client=acme.client, title="Walruses & co", body="Walruses <b>eat</b> at noon.")


def test_a_reply_is_suggested_with_its_source_and_nothing_is_sent(acme: NewTenant, article: Article) -> None:
    row = chat(acme, "what about giraffes", "when do walruses eat?")
    browser = browser_of(staff_of(acme, "agent"))
    assert "do/suggest/" in browser.get(page(Conversation, "change", row.pk)).content.decode()
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        answer = press(browser, row, "suggest", text="")
    card = suggestion(answer)
    assert "Walruses &lt;b&gt;eat&lt;/b&gt; at noon." in card
    assert f'<a class="cp-link" href="{page(Article, "change", article.pk)}">Walruses &amp; co</a>' in card
    assert re.search(r"Assistant · score 0\.\d\d · ", card)
    assert "<b>eat" not in answer.content.decode()
    assert typed(answer) == "Walruses &lt;b&gt;eat&lt;/b&gt; at noon.\n\n(Source: Walruses &amp; co)"
    after = everything()
    assert [name for name in before if before[name] != after[name]] == ["AgentUsage"]
    assert AgentUsage.objects.get().answers == 1
    assert len(queries) <= 40
    assert not [q for q in queries if "FOR UPDATE" in q["sql"] or "FOR NO KEY" in q["sql"]]
    # What was being written stays.
    assert typed(press(browser, row, "suggest", text="Dear Zoe")) == "Dear Zoe"


def test_what_nothing_covers_is_told_with_what_came_nearest(acme: NewTenant, article: Article) -> None:
    row = chat(acme, "giraffes, zebras, lions and okapis beside walruses")
    answer = press(browser_of(staff_of(acme, "agent")), row, "suggest", text="")
    assert "No article or canned reply covers the question." in suggestion(answer)
    assert "Nearest:" in suggestion(answer)
    assert typed(answer) == ""
    row.refresh_from_db()
    assert (row.status, Message.objects.of(row.pk).count()) == ("active", 1)


def test_where_nothing_can_be_suggested_the_page_says_why(acme: NewTenant, rival: NewTenant) -> None:
    create_article(client=rival.client, title="Walruses", body="Text")
    browser = browser_of(staff_of(acme, "agent"))
    empty = chat(acme)
    add_note(conversation=empty, sender=as_agent(acme.agents[0]), text="walruses")
    asked = chat(acme, "walruses?")
    assert messages_of(press(browser, empty, "suggest", text="x")) == "The customer has written nothing yet."
    answer = press(browser, asked, "suggest", text="x")
    assert messages_of(answer) == "Assistant has nothing to answer from."
    assert typed(answer) == "x"
    acme.agents[1].delete()
    assert "No AI agent serves this conversation" in messages_of(press(browser, asked, "suggest"))


def test_the_clients_provider_is_asked_and_its_failure_told(acme: NewTenant, article: Article) -> None:
    row = chat(acme, "when do walruses eat?")
    browser = browser_of(staff_of(acme, "agent"))
    with serving() as endpoint:
        agent_at(acme.client, endpoint.url)
        answer = press(browser, row, "suggest")
        assert "It left this morning." in suggestion(answer)
        assert "Bot · cost 0.000009" in suggestion(answer)
        assert "when do walruses eat?" in endpoint.asked[0].text
        endpoint.behave = lambda handler, asked: handler.send_json({}, 500)
        assert messages_of(press(browser, row, "suggest")) == "AI provider unavailable: it answered 500"
    used = AgentUsage.objects.get()
    assert (used.answers, used.failures) == (1, 1)


def test_who_may_ask_for_a_suggestion(acme: NewTenant, rival: NewTenant, article: Article) -> None:
    row = chat(acme, "when do walruses eat?")
    users = [browser_of(staff_of(rival, "client_admin")), browser_of(acme.users[0].user)]
    user = staff_of(acme, "agent")
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(user, backend="clients.backends.RoleBackend")
    root = browser_of(superuser())
    before = everything()
    theirs = press(users[0], row, "suggest")
    assert (theirs.status_code, theirs["Location"]) == (302, "/admin/")
    assert press(users[1], row, "suggest").status_code == 302
    assert press(strict, row, "suggest").status_code == 403
    got = strict.get(page(Conversation, "button", row.pk, "suggest"))
    assert (got.status_code, got["Location"]) == (302, page(Conversation, "change", row.pk))
    assert everything() == before
    assert suggestion(press(root, row, "suggest"))
    change_status(conversation=row, status="closed", by=system_caller(acme.client))
    assert "do/suggest/" not in browser_of(user).get(page(Conversation, "change", row.pk)).content.decode()
