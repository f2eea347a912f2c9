"""What deliveries keep of people: gone with an erasure, and with their time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from chatplatform.tests.store import everything
from clients.callers import system_caller
from conversations import events
from conversations.actions import Person, create_conversation
from conversations.events import Kind
from conversations.feed import Feed
from conversations.models import Conversation, Event
from messaging.actions import webhooks
from messaging.erasure import erase_contact
from messaging.tests.receiver import delivering, receiving
from messaging.webhook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane, WebhookPosition
from messaging.webhooks.claims import Room, claim
from messaging.webhooks.handing import hand_out

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2027, 3, 1, 12, 0, 0, tzinfo=UTC)
CANARY = "zqcanary77x"


def titles(told: Any) -> dict[int, str]:
    """Bodies that show what the conversation is called now."""
    names = dict(Conversation.objects.values_list("pk", "title"))
    return {event["id"]: json.dumps({"title": names[event["conversation_id"]]}) for event in told}


def until(done: Any) -> None:
    end = timezone.now() + timedelta(seconds=20)
    while not done():
        assert timezone.now() < end, "it did not come to pass"


@pytest.mark.contract("workspace: /v1/contacts: POST")
def test_an_erased_person_is_in_no_delivery_and_what_waits_is_told_without_them(acme, settings):
    settings.WEBHOOK_ALLOW_PRIVATE, settings.WEBHOOK_RETRY_DELAYS = True, [3600]
    people = [Person(contact_id=acme.contacts[0].pk)]
    with receiving(lambda handler, call: handler.answer(call, 200, call.body.encode(), x_echo=CANARY)) as receiver:
        webhooks.create_endpoint(client_id=acme.client.pk, url=receiver.url, events=["conversation.created"])
        with delivering(render=titles):
            row = create_conversation(
                client_id=acme.client.pk, by=system_caller(acme.client), channel="website", title=CANARY, people=people
            )  # fmt: skip
            until(lambda: WebhookDelivery.objects.filter(state="delivered").exists())
            receiver.behave = lambda handler, call: handler.answer(call, 500, call.body.encode())
            events.record(row, Kind.CREATED)
            until(lambda: WebhookAttempt.objects.filter(status=500).exists())
        assert CANARY in str(everything()["WebhookDelivery"])
        assert CANARY in str(everything()["WebhookAttempt"])

        erase_contact(contact=acme.contacts[0])

        assert [model for model, rows in everything().items() if CANARY in str(rows)] == []
        assert WebhookDelivery.objects.count() == WebhookAttempt.objects.count() == 2
        receiver.behave = lambda handler, call: handler.answer(call)
        WebhookLane.objects.update(due_at=timezone.now())
        with delivering(render=titles):
            until(lambda: not WebhookLane.objects.exists())
    assert [call.data for call in receiver.calls] == [{"title": CANARY}] * 2 + [{"title": ""}]
    assert receiver.calls[1].id == receiver.calls[2].id


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_no_body_is_made_while_a_person_is_being_erased(acme, monkeypatch):
    row = Conversation.objects.create(client=acme.client, channel="website")
    webhooks.create_endpoint(client_id=acme.client.pk, url="https://hooks.example.com")
    events.record(row, Kind.CREATED)
    handed = []
    monkeypatch.setattr(
        "messaging.erasure.contact._clear", lambda row: handed.append(_elsewhere(lambda: hand_out(Feed(0), titles)))
    )
    erase_contact(contact=acme.contacts[0])
    assert (handed, hand_out(Feed(0), titles)) == ([0], 1)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_body_that_is_still_to_be_made_waits_for_the_erasure(acme, monkeypatch):
    """and nobody waits holding rows: the lane is looked at again a moment later"""
    row = Conversation.objects.create(client=acme.client, channel="website")
    webhooks.create_endpoint(client_id=acme.client.pk, url="https://hooks.example.com")
    events.record(row, Kind.CREATED)
    hand_out(Feed(0), titles)
    WebhookDelivery.objects.update(body="")
    claimed = []
    monkeypatch.setattr(
        "messaging.erasure.contact._clear", lambda row: claimed.append(_elsewhere(lambda: claim(Room(), titles)))
    )
    erase_contact(contact=acme.contacts[0])
    lane = WebhookLane.objects.get()
    assert (claimed, lane.claim, lane.claimed_until) == ([[]], None, None)
    WebhookLane.objects.update(due_at=timezone.now())
    [job] = claim(Room(), titles)
    assert json.loads(job.delivery.body) == {"title": ""}


def _elsewhere(work: Any) -> Any:
    """On another connection."""
    from concurrent.futures import ThreadPoolExecutor

    def closing() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(closing).result(30)


def old(row: Conversation, days: float, **data: Any) -> Event:
    events.record(row, Kind.UPDATED, at=NOW - timedelta(days=days), **data)
    return Event.objects.latest("pk")


def retain() -> None:
    with time_machine.travel(NOW, tick=False):
        call_command("apply_retention", verbosity=0)


@pytest.mark.contract("workspace: Retention (a management")
def test_deliveries_and_events_go_after_thirty_days(acme, rival):
    """webhook delivery logs 30 days"""
    row, foreign = (Conversation.objects.create(client=one.client, channel="website") for one in (acme, rival))
    endpoint, _ = webhooks.create_endpoint(client_id=acme.client.pk, url="https://hooks.example.com")
    told = [old(row, days) for days in (31, 30, 30 - 1 / 86400, 1)]
    theirs = [old(foreign, days) for days in (30, 29)]
    WebhookPosition.objects.create(pk=1, event_id=told[-1].pk)
    made = [
        WebhookDelivery.objects.create(
            endpoint=endpoint, conversation=row, event_id=event.pk, kind=event.kind, state=state,
            created_at=event.created_at,
        )
        for event, state in zip(told, ("delivered", "failed", "delivered", "pending"), strict=True)
    ]  # fmt: skip
    waiting = WebhookDelivery.objects.create(endpoint=endpoint, kind="webhook.test", created_at=told[0].created_at)
    for one in (*made, waiting):
        WebhookAttempt.objects.create(delivery=one, at=one.created_at, duration=1)
    retain()
    assert set(WebhookDelivery.objects.values_list("pk", flat=True)) == {made[2].pk, made[3].pk, waiting.pk}
    assert WebhookAttempt.objects.count() == 3
    assert list(Event.objects.order_by("pk")) == [told[2], told[3], theirs[1]]
    with override_settings(RETENTION_WEBHOOK_DAYS=0, RETENTION_EVENT_DAYS=0):
        before = everything()
        retain()
        assert everything() == before


def test_an_event_that_an_endpoint_has_not_been_told_of_yet_stays(acme):
    row = Conversation.objects.create(client=acme.client, channel="website")
    endpoint, _ = webhooks.create_endpoint(client_id=acme.client.pk, url="https://hooks.example.com")
    handed, waiting = old(row, 40), old(row, 35)
    WebhookPosition.objects.create(pk=1, event_id=handed.pk)
    retain()
    assert list(Event.objects.all()) == [waiting]
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(disabled="by hand")
    retain()
    assert not Event.objects.exists()
