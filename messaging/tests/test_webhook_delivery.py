"""Deliveries from the event log to a real receiver: what goes out, what is tried again, what is given up."""

import random
import threading
import time
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import override_settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from standardwebhooks import Webhook, WebhookVerificationError

from conversations import events
from conversations.events import Kind
from conversations.feed import Feed
from conversations.models import Conversation, Event
from messaging.actions import webhooks
from messaging.tests.receiver import Call, Handler, Receiver, delivering, receiving, render
from messaging.webhook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane, WebhookPosition
from messaging.webhooks import calling, claims
from messaging.webhooks import delivering as delivering_module
from messaging.webhooks.finishing import finish
from messaging.webhooks.handing import hand_out
from messaging.webhooks.telling import tell_disabled

pytestmark = pytest.mark.django_db(transaction=True)
State = WebhookDelivery.State


@pytest.fixture(autouse=True)
def _nearby(settings):
    """Receivers are on this machine, attempts and waits are short."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.WEBHOOK_RETRY_DELAYS = [0.05] * 9
    settings.WEBHOOK_TIMEOUT = 1.0


@pytest.fixture
def parcel(acme):
    return Conversation.objects.create(client=acme.client, channel="website")


def make(tenant, url: str, **given: Any) -> WebhookEndpoint:
    return webhooks.create_endpoint(client_id=tenant.client.pk, url=url, **given)[0]


def tell(conversation: Conversation, count: int = 1, kind: Kind = Kind.UPDATED) -> None:
    for n in range(count):
        events.record(conversation, kind, n=n)


def until(done, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def settled() -> bool:
    return not WebhookDelivery.objects.filter(state=State.PENDING).exists()


def told() -> list[list[int]]:
    """The mails that the worker's tasks are to send: of which endpoint, to whom."""
    rows = DBTaskResult.objects.filter(task_path=tell_disabled.module_path).order_by("enqueued_at")
    return [row.args_kwargs["args"] for row in rows]


def attempts() -> list[tuple[int | None, str]]:
    return list(WebhookAttempt.objects.order_by("pk").values_list("status", "error"))


def test_a_delivery_is_signed_and_kept_with_its_attempt(acme, parcel):
    with receiving() as receiver:
        endpoint, secret = webhooks.create_endpoint(client_id=acme.client.pk, url=f"{receiver.url}/chat?a=1")
        with delivering():
            tell(parcel)
            until(lambda: WebhookDelivery.objects.filter(state=State.DELIVERED).exists())
    [call] = receiver.calls
    row = WebhookDelivery.objects.get()
    assert call.path == "/chat?a=1"
    assert {name: call.headers[name] for name in ("webhook-id", "content-type", "user-agent", "host")} == {
        "webhook-id": f"msg_{row.uuid.hex}", "content-type": "application/json",
        "user-agent": "ChatPlatform-Webhooks/1.0", "host": receiver.url.removeprefix("http://"),
    }  # fmt: skip
    assert call.headers["accept-encoding"] == "identity"
    assert Webhook(secret).verify(call.body, call.headers) == call.data == {
        "event": "conversation.updated", "conversation": parcel.pk, "n": 0,
    }  # fmt: skip
    assert (row.body, row.attempt_count, row.finished_at is not None) == (call.body, 1, True)
    kept = WebhookAttempt.objects.get()
    assert (kept.status, kept.error) == (204, "")
    assert kept.request_headers["webhook-signature"] == call.headers["webhook-signature"]
    assert kept.response_headers["content-length"] == "0"
    assert kept.duration < 1000
    assert not WebhookLane.objects.exists()
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_after_a_rotation_both_secrets_sign_until_the_former_one_is_over(acme, parcel):
    with receiving() as receiver:
        endpoint, former = webhooks.create_endpoint(client_id=acme.client.pk, url=receiver.url)
        new = webhooks.rotate_secret(endpoint=endpoint)
        with delivering():
            tell(parcel)
            until(lambda: len(receiver.calls) == 1 and settled())
            WebhookEndpoint.objects.update(former_until=timezone.now())
            tell(parcel)
            until(lambda: len(receiver.calls) == 2 and settled())
    both, alone = receiver.calls
    for secret in (former, new):
        Webhook(secret).verify(both.body, both.headers)
    Webhook(new).verify(alone.body, alone.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(former).verify(alone.body, alone.headers)


@pytest.mark.contract("behaviour: Also available by name")
def test_only_what_is_wanted_since_it_is_wanted_by_its_own_client(acme, rival, parcel):
    foreign = Conversation.objects.create(client=rival.client, channel="website")
    tell(parcel)
    with receiving() as receiver:
        make(acme, f"{receiver.url}/all")
        make(acme, f"{receiver.url}/read", events=["conversation.read"])
        make(rival, f"{receiver.url}/rival")
        off = make(acme, f"{receiver.url}/off", enabled=False)
        for kind in Kind:
            events.record(parcel, kind)
        events.record(parcel, Kind.CREATED, imported=True)
        tell(foreign)
        with delivering():
            until(lambda: len(receiver.calls) == 8 and settled())
        feed = Feed(0)
        assert hand_out(feed, render) == 0
    told = defaultdict(list)
    for call in receiver.calls:
        told[call.path].append(call.data["event"])
    assert told == {
        "/all": [
            "conversation.created", "conversation.updated", "conversation.participant.added",
            "conversation.participant.removed", "conversation.message.created", "conversation.message.updated",
        ],
        "/read": ["conversation.read"],
        "/rival": ["conversation.updated"],
    }  # fmt: skip
    assert not off.deliveries.exists()


def test_what_nobody_wants_is_not_written_down(acme, parcel, monkeypatch):
    make(acme, "https://hooks.example.com", events=["conversation.read"])
    feed = Feed(0)
    tell(parcel, 1)
    before = Event.objects.latest("pk").pk
    WebhookPosition.objects.create(pk=1, event_id=before)
    tell(parcel, 3)
    assert (hand_out(feed, render), hand_out(feed, render)) == (3, 0)
    assert WebhookPosition.objects.get().event_id == before
    monkeypatch.setattr("messaging.webhooks.handing._KEEP", 2)
    tell(parcel, 2)
    assert hand_out(feed, render) == 2
    assert WebhookPosition.objects.get().event_id == Event.objects.latest("pk").pk


def test_an_event_without_a_body_holds_nobody_up(acme, parcel):
    """One that nobody may be told of is left out; one that cannot be made is given up when its turn comes."""

    def picky(told):
        if any(event["data"]["n"] == 1 for event in told):
            raise ValueError("this one cannot be told")
        return render([event for event in told if event["data"]["n"] != 0])

    with receiving() as receiver:
        make(acme, receiver.url)
        with delivering(render=picky):
            tell(parcel, 3)
            until(lambda: receiver.calls and settled())
    assert [call.data["n"] for call in receiver.calls] == [2]
    states = WebhookDelivery.objects.order_by("event_id").values_list("state", "attempt_count")
    assert list(states) == [("failed", 0), ("delivered", 1)]
    assert WebhookAttempt.objects.filter(delivery__state="failed").get().error.startswith("not sent")


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_all_but_2xx_is_tried_again_with_the_same_id_and_body(acme, parcel, status):
    def twice(handler: Handler, call: Call) -> None:
        handler.answer(call, 200 if len(receiver.calls) >= 2 else status, b"no", location=f"{receiver.url}/elsewhere")

    with receiving(twice) as receiver:
        endpoint = make(acme, receiver.url)
        with delivering():
            tell(parcel, 2)
            until(lambda: receiver.calls and settled())
            until(lambda: len(receiver.taken) == 2 and settled())
    assert [call.status for call in receiver.calls] == [status, status, 200, 200]
    assert {call.path for call in receiver.calls} == {"/"}  # no redirect is followed
    assert len({(call.id, call.body) for call in receiver.calls[:3]}) == 1
    assert [call.data["n"] for call in receiver.calls] == [0, 0, 0, 1]
    assert attempts() == [(status, f"answered {status}")] * 2 + [(200, "")] * 2
    assert WebhookAttempt.objects.first().response_body == "no"
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


@pytest.mark.contract("behaviour: After its last attempt")
def test_after_its_last_attempt_a_delivery_is_set_aside_and_the_next_ones_go_on(acme, parcel, settings):
    settings.WEBHOOK_RETRY_DELAYS = [0.01, 0.01]

    def not_the_first(handler: Handler, call: Call) -> None:
        handler.answer(call, 500 if call.data["n"] == 0 else 204)

    with receiving(not_the_first) as receiver:
        make(acme, receiver.url)
        with delivering() as worker:
            tell(parcel, 2)
            until(lambda: receiver.taken and settled())
            assert [(call.data["n"], call.status) for call in receiver.calls] == [(0, 500)] * 3 + [(1, 204)]
            failed = WebhookDelivery.objects.get(state=State.SET_ASIDE)
            receiver.behave = lambda handler, call: handler.answer(call)
            webhooks.redeliver(delivery=failed)
            worker.wake()
            until(lambda: len(receiver.taken) == 2 and settled())
    assert {call.id for call in receiver.calls if call.data["n"] == 0} == {f"msg_{failed.uuid.hex}"}
    assert len({call.body for call in receiver.calls if call.data["n"] == 0}) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_gets_no_call_from_any_of_its_conversations(acme, rival, settings, status):
    """429 and 503 with Retry-After hold the endpoint; other endpoints go on"""
    settings.WEBHOOK_TIMEOUT = 90.0  # whatever the machine does besides, the first calls are answered at once
    parcels = [Conversation.objects.create(client=acme.client, channel="website") for _ in range(6)]

    def behave(handler: Handler, call: Call) -> None:
        if call.path == "/busy":
            handler.answer(call, status, retry_after="600")
        else:
            handler.answer(call)

    with receiving(behave) as receiver:
        busy, other = make(acme, f"{receiver.url}/busy"), make(acme, f"{receiver.url}/other")
        for conversation in parcels:
            tell(conversation, 2)
        with delivering():
            until(lambda: WebhookEndpoint.objects.filter(held_until__isnull=False).exists())
            until(lambda: len(receiver.taken) == 12)
            tell(parcels[0])
            until(lambda: len(receiver.taken) == 13)
        asked = [call for call in receiver.calls if call.path == "/busy"]
        assert 1 <= len(asked) <= 3  # those that were begun when the first was answered
        assert WebhookLane.objects.filter(endpoint=busy, claim=None).count() == 6
        busy.refresh_from_db()
        assert 590 < (busy.held_until - timezone.now()).total_seconds() <= 600
        other.refresh_from_db()
        assert (other.held_until, other.failing_since) == (None, None)

        receiver.behave = lambda handler, call: handler.answer(call)
        WebhookEndpoint.objects.update(held_until=timezone.now())
        WebhookLane.objects.update(due_at=timezone.now())
        with delivering():
            until(settled)
    told = [call.data["n"] for call in receiver.taken if call.path == "/busy"]
    assert Counter(told) == {0: 7, 1: 6}
    assert WebhookAttempt.objects.filter(status=status).count() == len(asked)


def test_another_worker_leaves_a_held_endpoint_alone(acme, parcel):
    with receiving() as receiver:
        endpoint = make(acme, receiver.url)
        tell(parcel, 3)
        hand_out(Feed(0), render)
        [job] = claims.claim(claims.Room(), render)
        WebhookEndpoint.objects.update(held_until=timezone.now() + timedelta(minutes=5))
        taken = calling.Outcome(timezone.now(), status=200)
        assert finish([(job, taken)], render) == []  # the lane's next one waits
        assert claims.claim(claims.Room(), render) == []
        assert WebhookLane.objects.get().claim is None
        webhooks.update_endpoint(endpoint=endpoint, url=f"{receiver.url}/moved")
        assert [one.delivery.event_id for one in claims.claim(claims.Room(), render)] == [job.delivery.event_id + 1]
    assert receiver.calls == []


@pytest.mark.parametrize("status", [400, 500])
def test_retry_after_with_another_answer_holds_one_conversation(acme, parcel, status):
    other = Conversation.objects.create(client=acme.client, channel="website")

    def behave(handler: Handler, call: Call) -> None:
        if call.data["conversation"] == parcel.pk:
            handler.answer(call, status, retry_after="600")
        else:
            handler.answer(call)

    with receiving(behave) as receiver:
        endpoint = make(acme, receiver.url)
        with delivering():
            tell(parcel)
            until(lambda: WebhookAttempt.objects.exists())
            tell(other, 2)
            until(lambda: len(receiver.taken) == 2)
    lane = WebhookLane.objects.get()
    assert lane.conversation_id == parcel.pk
    assert 590 < (lane.due_at - timezone.now()).total_seconds() <= 600
    endpoint.refresh_from_db()
    assert endpoint.held_until is None


def hang(handler: Handler, call: Call) -> None:
    handler.note(call)
    handler.server.ended.wait(30)


def drip(handler: Handler, call: Call) -> None:
    """A byte at a time of a head that never ends."""
    handler.note(call)
    with_bytes = b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000
    for n in range(1000):
        try:
            handler.wfile.write(with_bytes[n : n + 1])
            handler.wfile.flush()
        except OSError:
            return
        if handler.server.ended.wait(0.05):
            return


def reset(handler: Handler, call: Call) -> None:
    handler.note(call)
    handler.close_connection = True
    handler.connection.shutdown(2)


def rubbish(handler: Handler, call: Call) -> None:
    handler.note(call)
    handler.wfile.write(b"\x00\xff never heard of HTTP\r\n\r\n")


@pytest.mark.parametrize(
    ("behave", "error", "at_most"),
    [
        (hang, "no answer within 0.5 s", 900),
        (drip, "no answer within 0.5 s", 900),
        (reset, "the answer is not HTTP", 500),
        (rubbish, "the answer is not HTTP", 500),
    ],
)
def test_a_receiver_that_misbehaves_is_cut_off_and_tried_again(acme, parcel, settings, behave, error, at_most):
    settings.WEBHOOK_TIMEOUT, settings.WEBHOOK_RETRY_DELAYS = 0.5, [60]
    with receiving(behave) as receiver:
        make(acme, receiver.url)
        with delivering():
            tell(parcel)
            until(lambda: WebhookAttempt.objects.exists())
    row = WebhookAttempt.objects.get()
    assert row.status is None
    assert row.error.startswith(error)
    assert row.duration <= at_most
    assert 40 < (WebhookLane.objects.get().due_at - row.at).total_seconds() < 80


def test_of_an_answer_64_kib_are_read_and_4_kept_and_nothing_is_inflated(acme, parcel):
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)
    sent = []

    def pour(handler: Handler, call: Call) -> None:
        if call.data["n"] == 1:
            return handler.answer(call, 200, bomb, content_encoding="gzip")
        handler.note(call)
        handler.send_response(500)
        handler.end_headers()
        for _ in range(2000):  # 100 MB, if anybody reads it
            try:
                handler.wfile.write(b"z" * 50_000)
            except OSError:
                break
            sent.append(50_000)
        call.status = 500
        receiver.behave = lambda handler, call: (
            handler.answer(call, 200, bomb, content_encoding="gzip") if call.data["n"] == 1 else handler.answer(call)
        )
        return None

    with receiving(pour) as receiver:
        make(acme, receiver.url)
        with delivering():
            tell(parcel, 2)
            until(lambda: len(receiver.taken) == 2 and settled())
    assert sum(sent) < 20_000_000  # what the sockets between hold
    first, *_, last = WebhookAttempt.objects.order_by("pk")
    assert (first.status, first.response_body) == (500, "z" * calling.KEPT_BODY)
    assert last.status == 200
    assert last.response_body == bomb[: calling.KEPT_BODY].decode(errors="replace").replace("\0", "\ufffd")


def test_gone_is_gone(acme, parcel, rival):
    """410 disables the endpoint at once, and only it"""
    other = Conversation.objects.create(client=acme.client, channel="website")
    with receiving(lambda handler, call: handler.answer(call, 410 if call.path == "/gone" else 204)) as receiver:
        gone, stays = make(acme, f"{receiver.url}/gone"), make(acme, f"{receiver.url}/stays")
        with delivering():
            tell(parcel, 3)
            until(lambda: len(receiver.taken) == 3 and settled() and told())
            tell(other)
            until(lambda: len(receiver.taken) == 4 and settled())
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.disabled, gone.disabled_at is not None, stays.disabled) == ("gone", True, "")
    assert told() == [[gone.pk, acme.staff.user.pk]]
    assert Counter(gone.deliveries.values_list("state", flat=True)) == {"failed": 3}
    assert [call.path for call in receiver.calls].count("/gone") == 1
    assert not WebhookLane.objects.exists()


def test_nothing_but_failures_for_five_days_disables_an_endpoint(acme, parcel):
    with receiving(lambda handler, call: handler.answer(call, 500)) as receiver:
        endpoint = make(acme, receiver.url)
        with delivering():
            tell(parcel)
            until(lambda: WebhookEndpoint.objects.filter(failing_since__isnull=False).exists())
            just = timezone.now() - timedelta(days=5) + timedelta(minutes=1)
            WebhookEndpoint.objects.update(failing_since=just)
            seen = len(receiver.calls)
            until(lambda: len(receiver.calls) > seen + 2)
            endpoint.refresh_from_db()
            assert endpoint.is_enabled
            WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5))
            until(told)
            endpoint.refresh_from_db()
            assert (endpoint.disabled, settled()) == ("failing", True)
            assert told() == [[endpoint.pk, acme.staff.user.pk]]
            receiver.behave = lambda handler, call: handler.answer(call)
            webhooks.update_endpoint(endpoint=endpoint, enabled=True)
            assert webhooks.redeliver_since(endpoint=endpoint, since=endpoint.created_at) == 1
            until(lambda: len(receiver.taken) == 1 and settled())


def test_a_receiver_that_hangs_delays_nobody_else(acme, rival, settings):
    """endpoints and tenants do not delay one another"""
    settings.WEBHOOK_TIMEOUT = 15.0
    stuck = [Conversation.objects.create(client=acme.client, channel="website") for _ in range(30)]
    quick = [Conversation.objects.create(client=rival.client, channel="website") for _ in range(5)]
    arrived: dict[str, float] = {}

    def behave(handler: Handler, call: Call) -> None:
        if call.path == "/hang":
            return hang(handler, call)
        arrived[call.body] = time.monotonic()
        return handler.answer(call)

    with receiving(behave) as receiver:
        for _ in range(3):
            make(acme, f"{receiver.url}/hang")
        make(rival, f"{receiver.url}/quick")
        with delivering():
            for conversation in stuck:
                tell(conversation)
            until(lambda: len(receiver.calls) >= 16)
            begun = time.monotonic()
            for conversation in quick:
                tell(conversation, 6)
            until(lambda: len(receiver.taken) == 30)
            assert max(arrived.values()) - begun < 5
            receiver.ended.set()  # else the end of the worker waits for those calls


def test_a_killed_workers_lanes_are_taken_over_when_its_claim_is_over(acme, parcel, settings):
    settings.WEBHOOK_TIMEOUT = 0.3
    with receiving() as receiver:
        endpoint = make(acme, receiver.url)
        tell(parcel, 2)
        hand_out(Feed(0), render)
        [job] = claims.claim(claims.Room(), render)
        assert (job.endpoint.pk, claims.claim(claims.Room(), render)) == (endpoint.pk, [])
        begun = time.monotonic()
        with delivering():
            until(lambda: len(receiver.taken) == 2 and settled())
        assert 0.5 < time.monotonic() - begun < 5
    assert claims.lease() == timedelta(seconds=3 * 0.3)
    with override_settings(WEBHOOK_TIMEOUT=15.0):
        assert claims.lease() <= timedelta(seconds=60)


def test_one_that_cannot_be_written_down_holds_nobody_up(acme, parcel, monkeypatch, settings):
    settings.WEBHOOK_TIMEOUT = 0.3
    other = Conversation.objects.create(client=acme.client, channel="website")
    really, failed = delivering_module.finish, []

    def fails_once(results, render, **how):
        if not failed or (len(failed) < 3 and any(job.delivery.conversation_id == parcel.pk for job, _ in results)):
            failed.append(len(results))
            raise IntegrityError("a row is gone")
        return really(results, render, **how)

    monkeypatch.setattr(delivering_module, "finish", fails_once)
    with receiving() as receiver:
        make(acme, receiver.url)
        with delivering():
            tell(parcel)
            tell(other)
            until(lambda: {call.data["conversation"] for call in receiver.taken} == {parcel.pk, other.pk} and settled())
    assert failed
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


@pytest.mark.contract("workspace: At least once, in order")
def test_no_order_is_lost_under_failures(acme, settings):
    """in order per conversation, whatever fails; what fails waits alone"""
    settings.WEBHOOK_TIMEOUT = 0.4
    dice, lock = random.Random(5), threading.Lock()
    parcels = [Conversation.objects.create(client=acme.client, channel="website") for _ in range(6)]

    def behave(handler: Handler, call: Call) -> None:
        with lock:
            fate = dice.random()
        if fate < 0.1:
            return handler.answer(call, 503)
        if fate < 0.2:
            return reset(handler, call)
        if fate < 0.23:
            return hang(handler, call)
        return handler.answer(call)

    with receiving(behave) as receiver:
        make(acme, receiver.url)
        with delivering(), delivering():  # two workers
            for _ in range(10):
                for conversation in parcels:
                    tell(conversation)
                    Event.objects.filter(conversation=conversation).count()
            until(lambda: len(receiver.taken) >= 60 and settled(), 60)
    _in_order(receiver, parcels, 10)


def _in_order(receiver: Receiver, parcels: list[Conversation], count: int) -> None:
    told = defaultdict(list)
    order = dict(Event.objects.values_list("uuid", "pk"))
    place = {f"msg_{row.uuid.hex}": row.event_id for row in WebhookDelivery.objects.all()}
    for call in receiver.taken:
        told[call.data["conversation"]].append(place[call.id])
    assert len(order) == len(place) == count * len(parcels)
    for conversation in parcels:
        assert told[conversation.pk] == sorted(set(told[conversation.pk])), "out of order, or twice"
        assert len(told[conversation.pk]) == count
