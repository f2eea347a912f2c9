"""A member of staff at work, in a real browser on the real server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

from chatplatform.management.commands.serve import Command
from clients.actions import NewTenant
from conversations.models import Conversation

from .admin_world import furnish
from .browser import QUIET

pytestmark = pytest.mark.browser


@pytest.fixture
def static_files() -> None:
    """As `serve` collects them; the server of the test only serves."""
    Command()._static_files()


@pytest.fixture
def tab(chromium: Path, static_files: None, live_server_url: str) -> Iterator[Page]:
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
    assert foreign == []
    assert failed == []


@pytest.fixture
def furnished(transactional_db: None, acme: NewTenant) -> Conversation:
    return furnish(acme).conversation


def test_staff_answer_a_conversation(furnished: Conversation, acme: NewTenant, tab: Page) -> None:
    password, email = acme.staff.password, acme.staff.user.email
    tab.goto("/admin/")
    tab.fill("input[name=username]", email)
    tab.fill("input[name=password]", password)
    tab.click("button[type=submit]")
    tab.locator("a[href='/admin/conversations/conversation/']").first.click()
    tab.get_by_role("link", name="Acme invoice 1").click()
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
    tab.goto("/admin/conversations/conversation/")
    row = tab.locator("tr.data-row", has_text="Acme invoice 1")
    expect(row).to_contain_text("Your parcel left this morning.")
    expect(row).to_contain_text(re.compile("resolved", re.IGNORECASE))
