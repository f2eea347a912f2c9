"""The quarantine, flags and the settings of anti-spam in the admin."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatplatform.tests.store import everything
from clients.actions import NewTenant
from clients.models import Agent, Client
from conversations.models import Conversation, Event
from messaging import spam
from messaging.models import Attachment, HeldMessage, Message

from .admin_world import World, browser_of, furnish, page, staff_of
from .test_admin_writes import fields_of, form_of, press

pytestmark = pytest.mark.usefixtures("plain_static_files")

LISTING = page(HeldMessage, "changelist")


def held_of(world: World) -> Any:
    return HeldMessage.objects.get(pk=world.rows["messaging.HeldMessage"].pk)


def chosen(browser: Any, action: str, *rows: Any) -> Any:
    return browser.post(LISTING, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def visibility(row: Message) -> str:
    return Message.objects.get(pk=row.pk).visibility


@pytest.mark.contract("workspace: quarantine keeps it out")
def test_the_list_has_what_the_caller_sees_with_score_and_reasons(acme: NewTenant, rival: NewTenant) -> None:
    mine, theirs = furnish(acme), furnish(rival)
    body = browser_of(staff_of(acme, "agent")).get(LISTING).content.decode()
    assert "Acme sells &lt;b&gt;why&lt;/b&gt;" in body
    assert "keyword +10 (Acme &lt;b&gt;why&lt;/b&gt;)" in body
    assert "Rival" not in body
    assert "Acme answers" not in body  # what is not held
    lone = staff_of(acme, "agent", "lone")
    Agent.objects.create(client=acme.client, agent_id="lone", name="Lone", user=lone, queues=["another"])
    assert "Acme sells" not in browser_of(lone).get(LISTING).content.decode()
    for row in (held_of(mine), held_of(theirs)):
        assert press(browser_of(lone), row, "release").status_code == 302
        assert visibility(row) == "held"


def test_many_rows_need_no_more_queries(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(LISTING).status_code == 200
        return len(captured)

    furnish(acme)
    few = queries()
    for n in range(2, 12):
        furnish(acme, n)
    assert queries() == few <= 12


@pytest.mark.contract("workspace: quarantine keeps it out")
@pytest.mark.parametrize("role", ["agent", "supervisor", "client_admin"])
def test_staff_release(acme: NewTenant, role: str) -> None:
    world = furnish(acme)
    row, held = world.conversation, held_of(world)
    answer = press(browser_of(staff_of(acme, role)), held, "release")
    assert answer.headers["Location"] == page(Conversation, "change", row.pk)
    after = Conversation.objects.get(pk=row.pk)
    assert visibility(held) == "public"
    assert (after.message_count, after.staff_unread) == (row.message_count + 1, row.staff_unread + 1)
    assert after.last_message_text == held.text
    last = Event.objects.filter(conversation=row, kind="conversation.message.created").latest("id")
    assert last.data["message"] == str(held.uuid)
    assert press(browser_of(staff_of(acme, role, "again")), held, "release").status_code == 302
    assert Conversation.objects.get(pk=row.pk).message_count == row.message_count + 1


def test_many_are_released_or_deleted_at_once(acme: NewTenant, rival: NewTenant) -> None:
    worlds, foreign = [furnish(acme, n) for n in range(1, 5)], held_of(furnish(rival))
    held = [held_of(world) for world in worlds]
    browser = browser_of(staff_of(acme, "supervisor"))
    chosen(browser, "release_chosen", *held[:2], foreign)
    assert [visibility(row) for row in [*held, foreign]] == ["public"] * 2 + ["held"] * 3
    chosen(browser, "delete_chosen", *held[2:], foreign)
    assert list(HeldMessage.objects.held()) == [foreign]
    assert [row.deleted_at is None for row in Message.objects.filter(pk__in=[r.pk for r in held]).order_by("id")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_staff_stay_in_the_quarantine(acme: NewTenant) -> None:
    """after a deletion, and where somebody else was faster"""
    held, other = held_of(furnish(acme)), held_of(furnish(acme, 2))
    browser = browser_of(staff_of(acme, "supervisor"))
    answer = browser.post(page(HeldMessage, "delete", held.pk), {"post": "yes"}, follow=True)
    assert answer.redirect_chain == [(LISTING, 302)]
    assert "was deleted successfully" in answer.content.decode()
    assert " 1 held message " in " ".join(answer.content.decode().split())
    press(browser_of(staff_of(acme, "agent")), other, "release")
    assert " 0 messages in quarantine " in " ".join(browser.get(LISTING).content.decode().split())
    for again in (
        browser.post(page(HeldMessage, "button", other.pk, "release"), follow=True),
        browser.get(page(HeldMessage, "change", other.pk), follow=True),
        browser.post(page(HeldMessage, "delete", other.pk), {"post": "yes"}, follow=True),
    ):
        assert again.redirect_chain == [(LISTING, 302)]
        assert "This message is not held any more." in again.content.decode()
    assert visibility(other) == "public"


def test_the_page_of_a_held_file_leads_to_it(acme: NewTenant) -> None:
    held = held_of(furnish(acme))
    content = {"url": "https://files.example.com/<b>.png", "phones": [{"phone": "+49 30 1"}]}
    Message.objects.filter(pk=held.pk).update(type="image", text="", content=content)
    file = Attachment.objects.create(message=held, url=content["url"], file_name="<b>.png", file_type="image/png")
    body = browser_of(staff_of(acme, "agent")).get(page(HeldMessage, "change", held.pk)).content.decode()
    assert "[image] &lt;b&gt;.png" in body
    assert "url: https://files.example.com/&lt;b&gt;.png<br>phones 1 phone: +49 30 1" in body
    assert f'<a class="cp-link" href="{page(Attachment, "change", file.pk)}">&lt;b&gt;.png</a>' in body


def test_agents_do_not_delete(acme: NewTenant) -> None:
    held = held_of(furnish(acme))
    browser = browser_of(staff_of(acme, "agent"))
    before = everything()
    chosen(browser, "delete_chosen", held)
    assert browser.post(page(HeldMessage, "delete", held.pk), {"post": "yes"}).status_code == 403
    assert everything() == before


def test_a_closed_conversation_refuses_one_and_the_others_go_on(acme: NewTenant) -> None:
    one, two = furnish(acme), furnish(acme, 2)
    Conversation.objects.filter(pk=one.conversation.pk).update(status="closed")
    browser = browser_of(staff_of(acme, "supervisor"))
    body = chosen(browser, "release_chosen", held_of(one), held_of(two)).content.decode()
    assert "Conversation is closed" in body
    assert [visibility(held_of(one)), len(HeldMessage.objects.held())] == ["held", 1]


def test_the_thread_shows_what_is_held_and_why(acme: NewTenant) -> None:
    world = furnish(acme)
    held, browser = held_of(world), browser_of(staff_of(acme, "supervisor"))
    thread = page(Conversation, "change", world.conversation.pk)
    body = browser.get(thread).content.decode()
    assert "is-held" in body
    assert "Score 10: keyword +10 (Acme &lt;b&gt;why&lt;/b&gt;)" in body
    assert page(HeldMessage, "button", held.pk, "release") in body
    assert page(HeldMessage, "delete", held.pk) in body
    assert page(HeldMessage, "delete", held.pk) not in browser_of(staff_of(acme, "agent")).get(thread).content.decode()
    press(browser, held, "release")
    after = browser.get(thread).content.decode()
    assert "is-held" not in after
    assert "A message was held here by anti-spam; Supervisor released it." in after


# --- flags ---


def flag(world: World) -> Message:
    message = world.rows["messaging.Message"]
    reasons = [spam.reason("burst", 5.0, "8 messages in 10 seconds")]
    Message.objects.filter(pk=message.pk).update(is_flagged=True, flag_reasons=reasons)
    Conversation.objects.filter(pk=message.conversation_id).update(is_flagged=True, flag_reasons=reasons)
    return message


@pytest.mark.contract("workspace: flag marks the message")
def test_flags_are_seen_filtered_and_cleared(acme: NewTenant) -> None:
    world, calm = furnish(acme), furnish(acme, 2)
    message, browser = flag(world), browser_of(staff_of(acme, "agent"))
    listing = page(Conversation, "changelist")
    assert "flagged" in browser.get(listing).content.decode()
    flagged = browser.get(f"{listing}?is_flagged__exact=1").context["cl"].result_list
    assert [row.pk for row in flagged] == [world.conversation.pk]
    for shown in (page(Conversation, "change", world.conversation.pk), page(Message, "change", message.pk)):
        body = browser.get(shown).content.decode()
        assert "burst +5 (8 messages in 10 seconds)" in body
        assert "Clear the flag" in body
    assert "Clear the flag" not in browser.get(page(Conversation, "change", calm.conversation.pk)).content.decode()
    press(browser, message, "clear_flag")
    assert not Message.objects.get(pk=message.pk).is_flagged
    assert not Conversation.objects.get(pk=world.conversation.pk).is_flagged
    flag(world)
    press(browser, world.conversation, "clear_flag")
    assert Message.objects.get(pk=message.pk).is_flagged
    assert not Conversation.objects.get(pk=world.conversation.pk).is_flagged


# --- settings ---


@pytest.mark.contract("workspace: /v1/workspace/settings/antispam")
def test_a_client_admin_sets_it(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    version = Client.objects.get(pk=acme.client.pk).rules_version
    answer = form_of(
        browser, acme.client, antispam_enabled="on", antispam_sensitivity="high",
        antispam_actions=["flag", "quarantine"], antispam_whitelist_domains="example.com\r\n\r\n shop.example ",
        antispam_blacklist_keywords="casino\r\nfree money",
    )  # fmt: skip
    assert answer.status_code == 302
    client = Client.objects.get(pk=acme.client.pk)
    assert client.settings["antispam"] == {
        "enabled": True, "sensitivity": "high", "actions": ["flag", "quarantine"],
        "whitelist_domains": ["example.com", "shop.example"], "blacklist_keywords": ["casino", "free money"],
    }  # fmt: skip
    assert client.rules_version > version
    shown = fields_of(browser, acme.client)
    assert (shown["antispam_blacklist_keywords"], shown["antispam_sensitivity"]) == ("casino\nfree money", "high")
    form_of(browser, acme.client, name="Acme Ltd")
    after = Client.objects.get(pk=acme.client.pk)
    assert (after.name, after.settings) == ("Acme Ltd", client.settings)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("antispam_whitelist_domains", "no domain", "is no domain"),
        ("antispam_blacklist_keywords", "k" * 101, "is longer than 100 characters"),
        ("antispam_sensitivity", "extreme", "Select a valid choice"),
        ("antispam_actions", ["delete"], "Select a valid choice"),
        ("antispam_actions", [], "Tick at least one"),
    ],
)
def test_what_is_refused_names_its_field(acme: NewTenant, field: str, value: Any, problem: str) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    before = everything()
    answer = form_of(browser, acme.client, **{"antispam_enabled": "on", field: value})
    assert answer.status_code == 200
    assert problem in " ".join(answer.context["adminform"].form.errors[field])
    assert everything() == before


@pytest.mark.parametrize("role", ["agent", "supervisor"])
def test_others_do_not(acme: NewTenant, role: str) -> None:
    browser = browser_of(staff_of(acme, role))
    before = everything()
    change = page(Client, "change", acme.client.pk)
    assert browser.get(change).status_code == 403
    assert browser.post(change, {"antispam_enabled": "on"}).status_code == 403
    assert everything() == before
