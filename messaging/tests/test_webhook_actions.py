"""Endpoints, their secrets and choice of events; what staff do about deliveries."""

import base64
from datetime import timedelta

import pytest
from django.db import models
from django.test import override_settings
from django.utils import timezone

from chatplatform.errors import Conflict, Invalid, NotFound
from conversations import events
from conversations.events import Kind
from conversations.feed import latest
from conversations.models import Conversation
from messaging.actions import webhooks
from messaging.webhook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from messaging.webhooks import kinds, secrets

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/chat"
OWN = "whsec_" + base64.b64encode(b"k" * 24).decode()


@pytest.fixture
def parcel(acme):
    return Conversation.objects.create(client=acme.client, channel="website")


def make(acme, **given) -> WebhookEndpoint:
    endpoint, _ = webhooks.create_endpoint(client_id=acme.client.pk, **{"url": URL, **given})
    return endpoint


def happened(conversation, kind=Kind.UPDATED, **data) -> int:
    events.record(conversation, kind, **data)
    return latest()


def delivery_of(endpoint, conversation, state=WebhookDelivery.State.PENDING, **values) -> WebhookDelivery:
    row = WebhookDelivery.objects.create(
        endpoint=endpoint, conversation=conversation, event_id=latest(), kind="conversation.updated", state=state,
        **values,
    )  # fmt: skip
    if state == WebhookDelivery.State.PENDING:
        WebhookLane.objects.get_or_create(
            endpoint=endpoint, conversation_id=conversation.pk, defaults={"due_at": timezone.now()}
        )
    return row


def lanes(endpoint) -> list[int]:
    rows = WebhookLane.objects.filter(endpoint=endpoint).order_by("conversation_id")
    return list(rows.values_list("conversation_id", flat=True))


def text_of(row: models.Model) -> str:
    """What the database holds of it."""
    return str(type(row)._default_manager.filter(pk=row.pk).values().get())


def test_an_endpoint_is_told_of_what_comes_after_it(acme, parcel):
    before = happened(parcel)
    endpoint, secret = webhooks.create_endpoint(client_id=acme.client.pk, url=URL)
    assert (endpoint.url, endpoint.events, endpoint.is_enabled, endpoint.after_event) == (URL, [], True, before)
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert secrets.unseal(endpoint.secret) == secret
    assert secret not in text_of(endpoint)
    assert secret.removeprefix("whsec_") not in text_of(endpoint)


def test_events_are_chosen_by_name(acme):
    """`conversation.deleted` and `conversation.read` are told by name only"""
    chosen = make(acme, events=["conversation.read", "conversation.created", "conversation.read"])
    assert chosen.events == ["conversation.created", "conversation.read"]
    assert [kind for kind in kinds.KINDS if not kinds.is_wanted(kind, [])] == list(kinds.BY_NAME)
    for wrong in ("conversation.note.created", "webhook.test", "", "conversation"):
        with pytest.raises(Invalid) as refusal:
            make(acme, events=[wrong])
        assert list(refusal.value.fields) == ["events"]
    assert WebhookEndpoint.objects.count() == 1


@pytest.mark.parametrize(
    "secret",
    [
        "", "whsec_", "whsec_" + base64.b64encode(b"k" * 23).decode(), "whsec_" + base64.b64encode(b"k" * 65).decode(),
        base64.b64encode(b"k" * 32).decode(), OWN.replace("whsec_", "WHSEC_"), OWN + "\n", OWN + "é", "whsec_!!!!",
        "whsec_" + "A" * 33, OWN[:-1] + "-",
    ],
)  # fmt: skip
def test_a_secret_is_whsec_and_base64_of_24_to_64_bytes(acme, secret):
    with pytest.raises(Invalid) as refusal:
        make(acme, secret=secret)
    assert list(refusal.value.fields) == ["secret"]
    assert not WebhookEndpoint.objects.exists()


def test_a_new_secret_leaves_the_former_one_alive_for_a_day(acme):
    endpoint, first = webhooks.create_endpoint(client_id=acme.client.pk, url=URL, secret=OWN)
    assert first == OWN
    second = webhooks.rotate_secret(endpoint=endpoint)
    endpoint.refresh_from_db()
    assert [secrets.unseal(one) for one in (endpoint.secret, endpoint.former_secret)] == [second, OWN]
    assert timedelta(hours=23, minutes=59) < endpoint.former_until - timezone.now() <= timedelta(hours=24)
    webhooks.update_endpoint(endpoint=endpoint, secret=OWN)
    endpoint.refresh_from_db()
    assert [secrets.unseal(one) for one in (endpoint.secret, endpoint.former_secret)] == [OWN, second]


def test_the_same_secret_again_is_no_change(acme):
    """a client whose first answer was lost asks once more: the former one must go on signing"""
    endpoint, first = webhooks.create_endpoint(client_id=acme.client.pk, url=URL)
    assert webhooks.rotate_secret(endpoint=endpoint, secret=OWN) == OWN
    endpoint.refresh_from_db()
    until = endpoint.former_until
    assert webhooks.rotate_secret(endpoint=endpoint, secret=OWN) == OWN
    webhooks.update_endpoint(endpoint=endpoint, secret=OWN)
    endpoint.refresh_from_db()
    assert [secrets.unseal(one) for one in (endpoint.secret, endpoint.former_secret)] == [OWN, first]
    assert endpoint.former_until == until


def test_secrets_outlive_a_new_key_of_the_installation(acme, settings):
    endpoint = make(acme, secret=OWN)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["third", settings.SECRET_KEY]):
        assert secrets.unseal(endpoint.secret) == OWN
    with override_settings(SECRET_KEY="another"), pytest.raises(secrets.Unreadable):
        secrets.unseal(endpoint.secret)


def test_out_of_service_sets_aside_and_back_in_begins_anew(acme, parcel):
    endpoint, other = make(acme), make(acme)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=timezone.now())
    happened(parcel)
    waiting, theirs = delivery_of(endpoint, parcel), delivery_of(other, parcel)
    webhooks.update_endpoint(endpoint=endpoint, enabled=False)
    endpoint.refresh_from_db()
    waiting.refresh_from_db()
    theirs.refresh_from_db()
    assert (endpoint.disabled, waiting.state, theirs.state) == ("by hand", "failed", "pending")
    assert endpoint.disabled_at
    assert (lanes(endpoint), lanes(other)) == ([], [parcel.pk])
    for refused in (
        lambda: webhooks.redeliver(delivery=waiting),
        lambda: webhooks.redeliver_since(endpoint=endpoint, since=timezone.now()),
        lambda: webhooks.test_endpoint(endpoint=endpoint),
    ):
        with pytest.raises(Conflict):
            refused()
    last = happened(parcel)
    webhooks.update_endpoint(endpoint=endpoint, enabled=True)
    endpoint.refresh_from_db()
    state = (endpoint.disabled, endpoint.disabled_at, endpoint.failing_since, endpoint.after_event)
    assert state == ("", None, None, last)


def test_redelivering_one_begins_its_schedule_anew(acme, parcel):
    endpoint = make(acme)
    happened(parcel)
    State = WebhookDelivery.State
    row = delivery_of(endpoint, parcel, State.SET_ASIDE, attempt_count=10, finished_at=timezone.now(), body="{}")
    assert webhooks.redeliver(delivery=row).uuid == row.uuid
    row.refresh_from_db()
    assert (row.state, row.attempt_count, row.finished_at, row.body) == ("pending", 0, None, "{}")
    assert lanes(endpoint) == [parcel.pk]
    later = timezone.now() + timedelta(hours=5)
    WebhookLane.objects.update(due_at=later)
    webhooks.redeliver(delivery=row)
    assert WebhookLane.objects.get().due_at <= timezone.now()


def test_redelivering_since_a_time_brings_what_failed_and_what_was_not_told(acme, rival, parcel):
    endpoint = make(acme)
    State = WebhookDelivery.State
    made = timezone.now()
    happened(parcel)
    old = delivery_of(endpoint, parcel, State.SET_ASIDE, created_at=made - timedelta(hours=1))
    happened(parcel)
    done = delivery_of(endpoint, parcel, State.DELIVERED)
    happened(parcel)
    failed = delivery_of(endpoint, parcel, State.SET_ASIDE, attempt_count=10, body="{}")
    webhooks.update_endpoint(endpoint=endpoint, enabled=False)
    missed = [happened(parcel), happened(parcel, Kind.MESSAGE_CREATED)]
    for kind in (Kind.NOTE_CREATED, Kind.READ):
        happened(parcel, kind)
    happened(parcel, imported=True)
    happened(Conversation.objects.create(client=rival.client, channel="website"))
    webhooks.update_endpoint(endpoint=endpoint, enabled=True)
    happened(parcel)  # comes by itself
    assert webhooks.redeliver_since(endpoint=endpoint, since=made) == 3
    pending = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.PENDING).order_by("id")
    assert list(pending.values_list("event_id", flat=True)) == [failed.event_id, *missed]
    assert lanes(endpoint) == [parcel.pk]
    old.refresh_from_db()
    done.refresh_from_db()
    assert (old.state, done.state) == ("failed", "delivered")
    assert webhooks.redeliver_since(endpoint=endpoint, since=made) == 0


def test_a_test_call_waits_for_no_conversation(acme):
    endpoint = make(acme)
    row = webhooks.test_endpoint(endpoint=endpoint)
    assert (row.kind, row.conversation_id, row.event_id, lanes(endpoint)) == ("webhook.test", None, None, [0])
    assert row.body.startswith('{"event": "webhook.test", "timestamp": "20')


def test_deleting_takes_everything_of_it_along(acme, parcel):
    endpoint, other = make(acme), make(acme)
    happened(parcel)
    for one in (endpoint, other):
        WebhookAttempt.objects.create(delivery=delivery_of(one, parcel), at=timezone.now(), duration=1)
    webhooks.delete_endpoint(endpoint)
    assert list(WebhookEndpoint.objects.all()) == [other]
    assert [model.objects.count() for model in (WebhookDelivery, WebhookAttempt, WebhookLane)] == [1, 1, 1]
    for gone in (webhooks.delete_endpoint, lambda row: webhooks.rotate_secret(endpoint=row)):
        with pytest.raises(NotFound):
            gone(endpoint)


def test_a_workspace_has_fifty_at_most(acme, rival, monkeypatch):
    monkeypatch.setattr(webhooks, "ENDPOINTS", 2)
    make(acme), make(acme), make(rival)
    with pytest.raises(Invalid):
        make(acme)
    assert WebhookEndpoint.objects.for_client(acme.client.pk).count() == 2
