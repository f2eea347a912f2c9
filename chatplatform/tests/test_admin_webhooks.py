"""Webhooks in the admin: by the actions, Supervisors look and operate, Client admins own them."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.actions import NewTenant
from messaging.actions.webhooks import create_endpoint
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.webhook_models import WebhookLane
from messaging.webhooks.secrets import unseal

from .admin_world import browser_of, furnish, page, staff_of
from .store import everything
from .test_admin_writes import form_of, messages_of, press

pytestmark = pytest.mark.usefixtures("plain_static_files")
URL = "https://hooks.example.com/chat"


def shown_secret(answer: Any) -> str:
    assert answer.status_code == 200
    [secret] = re.findall(r'<code id="secret">(whsec_[^<]+)</code>', answer.content.decode())
    return str(secret)


def body_of(browser: Any, model: type, name: str, *args: Any) -> str:
    answer = browser.get(page(model, name, *args))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_client_admin_makes_changes_and_deletes_one(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    answer = browser.post(page(WebhookEndpoint, "add"), {"url": URL, "events": ["conversation.read"]})
    row = WebhookEndpoint.objects.get()
    secret = shown_secret(answer)
    assert (row.client, row.url, row.events, unseal(row.secret)) == (acme.client, URL, ["conversation.read"], secret)
    for name, args in (("changelist", ()), ("change", (row.pk,)), ("history", (row.pk,))):
        assert secret not in body_of(browser, WebhookEndpoint, name, *args)
    assert re.search(r">\s*in service\s*<", body_of(browser, WebhookEndpoint, "change", row.pk))

    assert form_of(browser, row, url=f"{URL}/2", events=[]).status_code == 302
    row.refresh_from_db()
    assert (row.url, row.events, unseal(row.secret)) == (f"{URL}/2", [], secret)
    new = shown_secret(press(browser, row, "new_secret"))
    row.refresh_from_db()
    assert (unseal(row.secret), unseal(row.former_secret)) == (new, secret)

    before = everything()
    for url in ("http://127.0.0.1/", "http://localhost/", "ftp://example.com", "x", "", "http://[::1]:8080/"):
        refused = browser.post(page(WebhookEndpoint, "add"), {"url": url})
        assert list(refused.context["adminform"].form.errors) == ["url"], url
        assert list(form_of(browser, row, url=url).context["adminform"].form.errors) == ["url"], url
    assert everything() == before

    assert browser.post(page(WebhookEndpoint, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not WebhookEndpoint.objects.exists()


def test_the_page_says_when_the_next_attempt_is_due(acme: NewTenant) -> None:
    row = create_endpoint(client_id=acme.client.pk, url=URL)[0]
    browser = browser_of(staff_of(acme, "client_admin"))

    def said() -> str:
        found = re.search(
            r"Next attempt.*?readonly[^>]*>(.*?)<", body_of(browser, WebhookEndpoint, "change", row.pk), re.S
        )
        assert found
        return found[1].strip()

    assert said() == "—"
    soon, later = (datetime(2126, 3, 1, hour, 30, tzinfo=UTC) for hour in (10, 14))
    WebhookLane.objects.create(endpoint=row, conversation_id=1, due_at=later)
    WebhookLane.objects.create(endpoint=row, conversation_id=2, due_at=soon)
    assert said() == "1 Mar 2126, 10:30"
    WebhookEndpoint.objects.update(held_until=later)
    assert said() == "1 Mar 2126, 14:30"
    WebhookEndpoint.objects.update(held_until=None)
    WebhookLane.objects.update(due_at=timezone.now())
    assert said() == "now"


def test_a_supervisor_operates_and_changes_nothing_else(acme: NewTenant, rival: NewTenant) -> None:
    mine, theirs = furnish(acme), furnish(rival)
    row, delivery = mine.rows["messaging.WebhookEndpoint"], mine.rows["messaging.WebhookDelivery"]
    browser = browser_of(staff_of(acme, "supervisor"))
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state="failed", attempt_count=10)
    assert press(browser, delivery, "redeliver").status_code == 302
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt_count) == ("pending", 0)
    press(browser, row, "test")
    assert list(row.deliveries.values_list("kind", flat=True)) == ["webhook.test", "conversation.created"]
    WebhookDelivery.objects.update(state="failed")
    answer = browser.post(page(WebhookEndpoint, "button", row.pk, "redeliver"), follow=True)
    assert messages_of(answer).endswith("2 deliveries are on their way.")
    press(browser, row, "disable")
    row.refresh_from_db()
    assert row.disabled == "by hand"
    before = everything()
    for name in ("test", "redeliver"):
        answer = browser.post(page(WebhookEndpoint, "button", row.pk, name), follow=True)
        assert messages_of(answer) == "Webhook is disabled"
    assert everything() == before
    press(browser, row, "enable")
    row.refresh_from_db()
    assert row.is_enabled

    before = everything()
    agent = browser_of(staff_of(acme, "agent"))
    before = everything()
    assert press(browser, row, "new_secret").status_code == 403
    assert browser.get(page(WebhookEndpoint, "add")).status_code == 403
    assert browser.post(page(WebhookEndpoint, "change", row.pk), {"url": URL}).status_code == 403
    assert browser.post(page(WebhookEndpoint, "delete", row.pk), {"post": "yes"}).status_code == 403
    for who, one in ((browser, theirs), (agent, mine)):
        for name in ("test", "redeliver", "disable", "new_secret"):
            assert press(who, one.rows["messaging.WebhookEndpoint"], name).status_code in (302, 403)
        assert press(who, one.rows["messaging.WebhookDelivery"], "redeliver").status_code in (302, 403)
    assert everything() == before


def test_what_the_pages_show(acme: NewTenant) -> None:
    """State, last delivery, attempts without the signature; what a receiver answers is text"""
    world = furnish(acme)
    row, delivery = world.rows["messaging.WebhookEndpoint"], world.rows["messaging.WebhookDelivery"]
    browser = browser_of(staff_of(acme, "supervisor"))
    assert "in service" in body_of(browser, WebhookEndpoint, "changelist")
    WebhookEndpoint.objects.filter(pk=row.pk).update(failing_since=timezone.now())
    listing = body_of(browser, WebhookEndpoint, "changelist")
    assert "failing" in listing
    assert "· pending" in listing
    shown = body_of(browser, WebhookEndpoint, "change", row.pk)
    assert page(WebhookDelivery, "change", delivery.pk) in shown
    attempts = body_of(browser, WebhookDelivery, "change", delivery.pk)
    assert "webhook-signature: …" in attempts
    assert "c2VjcmV0" not in attempts
    assert "server: &lt;b&gt;why&lt;/b&gt;" in attempts
    assert "<b>why</b>" not in listing + shown + attempts


def test_one_that_was_disabled_by_itself_is_told_on_the_first_page(acme: NewTenant, rival: NewTenant) -> None:
    mine, theirs = (furnish(tenant).rows["messaging.WebhookEndpoint"] for tenant in (acme, rival))
    supervisor, agent = browser_of(staff_of(acme, "supervisor")), browser_of(staff_of(acme, "agent"))
    pages = (reverse("admin:index"), page(WebhookEndpoint, "changelist"))

    def told() -> list[bool]:
        return ["Disabled by itself" in supervisor.get(path).content.decode() for path in pages]

    WebhookEndpoint.objects.filter(pk=mine.pk).update(disabled="by hand", disabled_at=timezone.now())
    WebhookEndpoint.objects.filter(pk=theirs.pk).update(disabled="gone", disabled_at=timezone.now())
    assert told() == [False, False]
    WebhookEndpoint.objects.filter(pk=mine.pk).update(disabled="failing")
    assert told() == [True, True]
    body = supervisor.get(pages[0]).content.decode()
    assert page(WebhookEndpoint, "change", mine.pk) in body
    assert "Rival" not in body
    assert "<b>why</b>" not in body
    assert "Disabled by itself" not in agent.get(pages[0]).content.decode()


def test_pages_need_as_few_queries_however_much_there_is(acme: NewTenant) -> None:
    world = furnish(acme)
    row, delivery = world.rows["messaging.WebhookEndpoint"], world.rows["messaging.WebhookDelivery"]
    browser = browser_of(staff_of(acme, "client_admin"))
    pages = [
        page(WebhookEndpoint, "changelist"), page(WebhookEndpoint, "change", row.pk),
        page(WebhookDelivery, "changelist"), f"{page(WebhookDelivery, 'changelist')}?endpoint={row.pk}",
        page(WebhookDelivery, "change", delivery.pk), reverse("admin:index"),
    ]  # fmt: skip

    def count() -> list[int]:
        counts = []
        for path in pages:
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(path).status_code == 200
            counts.append(len(queries))
        return counts

    count()  # what a process looks up once
    few = count()
    for n in range(5):
        WebhookEndpoint.objects.create(
            client=acme.client, url=f"{URL}/{n}", disabled="gone", disabled_at=timezone.now()
        )
        other = WebhookDelivery.objects.create(endpoint=row, kind="webhook.test")
        for one in (delivery, other):
            WebhookAttempt.objects.create(delivery=one, at=timezone.now(), duration=1, error="timeout")
    assert count() == few
    assert max(few[:-1]) <= 12
    assert few[-1] <= 13  # the first page has a query of its own for the lists of the inbox
