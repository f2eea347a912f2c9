"""A member of staff at work, in a real browser on the real server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Page, Request, expect, sync_playwright

from chatplatform.management.commands.serve import Command
from clients.actions import NewTenant
from clients.callers import system_caller
from conversations.actions import create_conversation
from conversations.models import Conversation
from messaging.actions import create_article, send_message
from messaging.senders import as_contact

from .admin_world import furnish
from .browser import QUIET

pytestmark = pytest.mark.browser


@pytest.fixture
def static_files() -> None:
    """As `serve` collects them; the server of the test only serves."""
    Command()._static_files()


@pytest.fixture
def tab(chromium: Path, static_files: None, live_server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs an event loop in the test's thread
    foreign: list[str] = []
    failed: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith((live_server_url, "data:", "blob:")):
            foreign.append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(base_url=live_server_url, viewport={"width": 1400, "height": 1000})
        page.on("request", watch)
        page.on("pageerror", lambda error: failed.append(str(error)))
        yield page
        browser.close()
        connection.close()  # that of Playwright's event loop: the next test of a browser would find it as it is then
    assert foreign == []
    assert failed == []


@pytest.fixture
def furnished(transactional_db: None, acme: NewTenant) -> Conversation:
    return furnish(acme).conversation


def log_in(tab: Page, acme: NewTenant) -> None:
    tab.goto("/admin/")
    tab.fill("input[name=username]", acme.staff.user.email)
    tab.fill("input[name=password]", acme.staff.password)
    tab.click("button[type=submit]")


def test_staff_answer_a_conversation(furnished: Conversation, acme: NewTenant, tab: Page) -> None:
    log_in(tab, acme)
    tab.locator("a[href='/admin/conversations/conversation/']").first.click()
    tab.get_by_role("link", name="Acme customer").click()
    expect(tab.locator(".cp-message.is-held").first).to_contain_text("Acme sells <b>why</b>")
    expect(tab.locator(".cp-message", has_text="Acme whispers")).to_be_visible()
    expect(tab.locator(".cp-message", has_text="Acme asks <b>why</b>")).to_be_visible()

    tab.get_by_label("Message", exact=True).fill("Your parcel left this morning.")
    tab.get_by_role("button", name="Send reply").click()

    expect(tab.locator(".cp-message").first).to_contain_text("Your parcel left this morning.")
    tab.get_by_label("Message", exact=True).fill("She sounded upset.")
    tab.get_by_role("button", name="Add private note").click()
    expect(tab.locator(".cp-message.is-private").first).to_contain_text("She sounded upset.")

    tab.get_by_role("button", name="Resolve").click()
    expect(tab.locator(".cp-list")).to_contain_text("escalated → resolved")
    tab.goto("/admin/conversations/conversation/?view=closed")
    row = tab.locator("tr.data-row", has_text="Acme invoice 1")
    expect(row).to_contain_text("Your parcel left this morning.")
    expect(row).to_contain_text(re.compile("resolved", re.IGNORECASE))


def test_a_suggested_reply_is_changed_and_sent(furnished: Conversation, acme: NewTenant, tab: Page) -> None:
    article = create_article(client=acme.client, title="Asking why", body="Because <b>of</b> the weather.")
    log_in(tab, acme)
    tab.goto(f"/admin/conversations/conversation/{furnished.pk}/change/")
    tab.get_by_role("button", name="Suggest a reply").click()
    card = tab.locator(".cp-suggestion")
    expect(card).to_contain_text("Because <b>of</b> the weather.")
    expect(card.get_by_role("link", name="Asking why")).to_have_attribute(
        "href", f"/admin/messaging/article/{article.pk}/change/"
    )
    expect(card).to_contain_text("Nothing was sent.")
    box = tab.get_by_label("Message", exact=True)
    expect(box).to_have_value("Because <b>of</b> the weather.\n\n(Source: Asking why)")
    box.fill("Because of the weather, Zoe.")
    tab.get_by_role("button", name="Send reply").click()
    expect(tab.locator(".cp-message").first).to_contain_text("Because of the weather, Zoe.")
    expect(card).to_have_count(0)


def test_the_inbox_is_live_and_knows_its_keys(furnished: Conversation, acme: NewTenant, tab: Page) -> None:
    log_in(tab, acme)
    tab.goto("/admin/conversations/conversation/")
    expect(tab.locator("#desk-live")).to_have_text("Live")
    rows = tab.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)

    customer = as_contact(acme.contacts[0])
    send_message(conversation=furnished, sender=customer, text="Is <b>it</b> there?")
    expect(rows.first).to_contain_text("Is <b>it</b> there?")
    other = create_conversation(
        client_id=acme.client.pk, by=system_caller(acme.client), channel="whatsapp", title="Another parcel"
    )
    send_message(conversation=other, sender=customer, text="Hello")
    expect(tab.locator("#desk-new")).to_have_text("1 new")
    expect(rows).to_have_count(1)  # nothing moves before it is asked for
    tab.keyboard.press(".")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Another parcel")

    tab.keyboard.press("j")
    tab.keyboard.press("x")
    expect(tab.locator("#desk-chosen")).to_have_text("1 chosen")
    tab.get_by_role("button", name="Resolve").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Acme customer")
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog")).to_contain_text("next, previous conversation")
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile(f"/conversation/{furnished.pk}/change/"))
