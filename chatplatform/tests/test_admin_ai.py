"""AI agents in the admin: who sets what, "Try it", and what was used."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from clients.actions import NewTenant, change_settings
from clients.models import Agent
from messaging.bots import threads
from messaging.bots.threads import Places
from messaging.bots.trying import QUESTION
from messaging.models import AgentUsage
from messaging.tests.llm import Endpoint, agent_at

from .admin_world import browser_of, page, staff_of, superuser
from .store import everything, statements
from .test_admin_writes import fields_of, form_of, messages_of

pytestmark = [pytest.mark.usefixtures("plain_static_files"), pytest.mark.django_db]
SECRET = "sk-canary-of-the-environment"
SUPERUSERS = {
    "base_url": "https://evil.example.com/v1", "api_key_env": "OTHER_KEY", "model": "dearer", "price_in": "0",
    "price_out": "0",
}  # fmt: skip


@pytest.fixture
def bot(acme: NewTenant, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setenv("SHOP_AI_KEY", SECRET)
    return agent_at(acme.client, endpoint.url, api_key_env="SHOP_AI_KEY", system_prompt="Be brief.")


def try_it(browser: Any, row: Agent) -> Any:
    return browser.post(reverse("admin:clients_agent_button", args=[row.pk, "try_it"]), follow=True)


def columns(row: Agent) -> dict[str, Any]:
    return Agent.objects.values().get(pk=row.pk)


# --- the form ---


@pytest.mark.contract("assistant: A provider is configured per agent")
def test_what_a_client_admin_sets_and_what_superusers(acme: NewTenant, bot: Agent) -> None:
    before = columns(bot)
    browser = browser_of(staff_of(acme, "client_admin"))
    own = {
        "system_prompt": "Be kind.", "temperature": "0.5", "timeout": "20", "context_tokens": "900",
        "answer_tokens": "50", "masks_personal": "on",
    }  # fmt: skip
    assert not SUPERUSERS.keys() & fields_of(browser, bot).keys()
    assert form_of(browser, bot, **own, **SUPERUSERS).status_code == 302
    changed = {name: value for name, value in columns(bot).items() if value != before[name]}
    assert changed == {
        "system_prompt": "Be kind.", "temperature": 0.5, "timeout": 20, "context_tokens": 900, "answer_tokens": 50,
        "masks_personal": True,
    }  # fmt: skip
    assert form_of(browser_of(superuser()), bot, **SUPERUSERS).status_code == 302
    bot.refresh_from_db()
    assert {name: str(getattr(bot, name)) for name in SUPERUSERS} == {
        **SUPERUSERS, "price_in": "0.000000", "price_out": "0.000000",
    }  # fmt: skip


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timeout": "0"}, "timeout"), ({"timeout": "121"}, "timeout"), ({"temperature": "2.1"}, "temperature"),
    ({"temperature": "nan"}, "temperature"), ({"context_tokens": "199"}, "context_tokens"),
    ({"answer_tokens": "0"}, "answer_tokens"), ({"price_in": "-1"}, "price_in"),
    ({"base_url": "file:///etc/passwd"}, "base_url"),
    ({"base_url": "", "model": "m"}, "provider"), ({"model": ""}, "provider"), ({"provider": ""}, "provider"),
    ({"api_key_env": "SECRET_KEY"}, "api_key_env"), ({"api_key_env": "DATABASE_URL"}, "api_key_env"),
    ({"api_key_env": "a b"}, "api_key_env"),
]  # fmt: skip


def test_what_cannot_be_is_told_on_the_form(acme: NewTenant, bot: Agent) -> None:
    browser, before = browser_of(superuser()), columns(bot)
    for fields, where in WRONG:
        answer = form_of(browser, bot, **fields)
        assert (fields, answer.status_code) == (fields, 200)
        assert (fields, list(answer.context["adminform"].form.errors)) == (fields, [where])
    assert columns(bot) == before
    human = form_of(browser, acme.agents[0], provider="knowledge")
    assert "Only an AI agent has a provider" in human.content.decode()


def test_who_opens_and_changes_an_agent(acme: NewTenant, rival: NewTenant, bot: Agent) -> None:
    before = columns(bot)
    for role, may in {"agent": False, "supervisor": False, "client_admin": True}.items():
        browser = browser_of(staff_of(acme, role))
        answer = browser.post(page(Agent, "change", bot.pk), {})
        assert (role, answer.status_code) == (role, 200 if may else 403)
    foreign = browser_of(staff_of(rival, "client_admin"))
    absent = foreign.post(page(Agent, "change", 999_999), {})
    theirs = foreign.post(page(Agent, "change", bot.pk), {})
    assert (theirs.status_code, theirs.headers["Location"]) == (absent.status_code, absent.headers["Location"])
    assert columns(bot) == before


def test_the_key_is_on_no_page(acme: NewTenant, bot: Agent, endpoint: Any) -> None:
    """its variable's name is; an endpoint that answers with it does not bring it there either"""
    endpoint.behave = lambda h, a: h.send_json({"error": {"message": a.headers["authorization"]}}, 401)
    for user in (superuser(), staff_of(acme, "client_admin")):
        browser = browser_of(user)
        shown = try_it(browser, bot).content.decode()
        assert "AI provider unavailable: it answered 401" in shown
        pages = (page(Agent, "change", bot.pk), page(Agent, "changelist"), page(Agent, "history", bot.pk))
        for opened in (shown, *(browser.get(where).content.decode() for where in pages)):
            assert SECRET not in opened
        assert "SHOP_AI_KEY" in browser.get(pages[0]).content.decode()


# --- Try it ---


def test_try_it(acme: NewTenant, bot: Agent, endpoint: Any) -> None:
    """what came, how long it took, what it cost; escaped, cut, counted, and nothing else is written"""
    endpoint.behave = lambda h, a: h.say("<script>alert(1)</script>" + "word " * 200, a)
    browser = browser_of(staff_of(acme, "client_admin"))
    answer = try_it(browser, bot)
    told = messages_of(answer)
    assert told.startswith("<script>alert(1)</script>word word")
    assert told.endswith("s, 30 tokens, cost 0.000009)")
    assert len(told) < 600
    assert "<script>alert(1)" not in answer.content.decode()
    assert "&lt;script&gt;alert(1)" in answer.content.decode()
    [asked] = endpoint.asked
    assert asked.question == "Hello! What can you help me with?"
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    used = AgentUsage.objects.get()
    assert (used.agent, used.answers, used.failures, used.cost) == (bot, 1, 0, Decimal("0.000009"))


def test_try_it_says_what_is_wrong(acme: NewTenant, bot: Agent, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    endpoint.behave = lambda h, a: h.send(b"<html>", status=503)
    assert messages_of(try_it(browser, bot)) == "AI provider unavailable: it answered 503"
    monkeypatch.delenv("SHOP_AI_KEY")
    unset = "AI provider unavailable: the environment variable SHOP_AI_KEY is not set"
    assert messages_of(try_it(browser, bot)) == unset
    assert AgentUsage.objects.get().failures == 2
    change_settings(acme.client.pk, ai={"monthly_limit": "0"})
    assert messages_of(try_it(browser, bot)) == "AI spending limit reached"
    change_settings(acme.client.pk, ai=None)
    full = Places(2)
    full.take()
    with monkeypatch.context() as patch:
        patch.setattr(threads, "_places", full)
        assert messages_of(try_it(browser, bot)) == "Too many AI calls at the same time"
    assert len(endpoint.asked) == 1
    assert messages_of(try_it(browser, acme.agents[1])) == f"It has no answer to “{QUESTION}”."


def test_who_tries_it(acme: NewTenant, rival: NewTenant, bot: Agent, endpoint: Endpoint) -> None:
    before = everything()
    path = reverse("admin:clients_agent_button", args=[bot.pk, "try_it"])
    for role in ("agent", "supervisor"):
        browser = browser_of(staff_of(acme, role))
        before = everything()
        assert (role, browser.post(path).status_code) == (role, 403)
        assert everything() == before
    foreign = browser_of(staff_of(rival, "client_admin"))
    before = everything()
    assert foreign.post(path).headers["Location"] == reverse("admin:index")
    admin = browser_of(staff_of(acme, "client_admin"))
    before = everything()
    assert admin.get(path).status_code == 302  # a link does nothing
    human = acme.agents[0]
    assert "try_it" not in admin.get(page(Agent, "change", human.pk)).content.decode()
    assert messages_of(try_it(admin, human)) == ""
    assert everything() == before
    assert endpoint.asked == []
    assert path in admin.get(page(Agent, "change", bot.pk)).content.decode()


def test_what_try_it_asks_of_the_database(acme: NewTenant, bot: Agent) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    path = reverse("admin:clients_agent_button", args=[bot.pk, "try_it"])
    browser.post(path)
    assert len(statements(lambda: browser.post(path))) <= 15


# --- what was used ---


def test_the_page_of_what_was_used(acme: NewTenant, rival: NewTenant, bot: Agent) -> None:
    """read by those who may, of their own client, exact to the millionth; changed by nobody"""
    AgentUsage.objects.create(agent=bot, day="2026-01-31", answers=7, failures=2, tokens_in=11, cost_micro=1_234_567)
    AgentUsage.objects.create(agent=rival.agents[1], day="2026-01-30", answers=9, cost_micro=7_654_321)
    listing = page(AgentUsage, "changelist")
    for role in ("agent", "supervisor", "client_admin"):
        answer = browser_of(staff_of(acme, role)).get(listing)
        shown = answer.status_code == 200 and answer.content.decode()
        assert (role, bool(shown)) == (role, role != "agent")
        if shown:
            assert "1.234567" in shown
            assert "7.654321" not in shown
    root = browser_of(superuser())
    body = root.get(listing).content.decode()
    assert "1.234567" in body
    assert "7.654321" in body
    row = AgentUsage.objects.get(agent=bot)
    before = everything()
    assert root.post(page(AgentUsage, "add"), {"agent": bot.pk, "day": "2026-01-01"}).status_code == 403
    assert root.post(page(AgentUsage, "change", row.pk), {"answers": "0"}).status_code == 403
    assert root.post(page(AgentUsage, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert everything() == before


def test_the_limit_of_a_month_is_the_superusers(acme: NewTenant) -> None:
    admin, root = browser_of(staff_of(acme, "client_admin")), browser_of(superuser())
    form_of(admin, acme.client, ai_monthly_limit="1000000")
    acme.client.refresh_from_db()
    assert "ai" not in acme.client.settings
    for given, kept in {"12.345678": {"monthly_limit": "12.345678"}, "0": {"monthly_limit": "0"}}.items():
        assert form_of(root, acme.client, ai_monthly_limit=given).status_code == 302
        acme.client.refresh_from_db()
        assert acme.client.settings["ai"] == kept
        assert Decimal(str(fields_of(root, acme.client)["ai_monthly_limit"])) == Decimal(given)
    for wrong in ("-1", "x", "NaN", "0.0000001"):
        assert form_of(root, acme.client, ai_monthly_limit=wrong).status_code == 200
    form_of(root, acme.client, ai_monthly_limit="")
    acme.client.refresh_from_db()
    assert acme.client.settings.get("ai") is None
