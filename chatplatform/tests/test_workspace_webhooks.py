"""`/v1/webhooks…`: endpoints, their deliveries, and what can be asked of them."""

import base64
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chatplatform.tests.store import everything, statements
from chatplatform.tests.workspace import assert_refused, begin, ok, robot_of, row_of, wrong_fields
from conversations.models import Event
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.webhooks.secrets import unseal

pytestmark = pytest.mark.usefixtures("clock")
URL = "/v1/webhooks"
HOOK = "https://hooks.example.com/chat?key=1"
ALL = [
    "conversation.created", "conversation.updated", "conversation.participant.added",
    "conversation.participant.removed", "conversation.message.created", "conversation.message.updated",
]  # fmt: skip
MINE = "whsec_" + base64.b64encode(b"m" * 32).decode()
NOW = "2027-03-01T12:00:00Z"


def make(robot: Any, **fields: Any) -> Any:
    return ok(robot.post(URL, {"url": HOOK, **fields}), 201)


def row_of_hook(made: Any) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(uuid=made["id"].removeprefix("webhook_"))


def delivery(made: Any, **columns: Any) -> WebhookDelivery:
    given = {"kind": "conversation.created", "body": '{"event":"conversation.created"}', **columns}
    row: WebhookDelivery = WebhookDelivery.objects.create(endpoint=row_of_hook(made), **given)
    return row


def of(made: Any, *rest: str) -> str:
    return "/".join([URL, made["id"], *rest])


def name_of(row: WebhookDelivery) -> str:
    return f"delivery_{row.uuid.hex}"


@pytest.mark.contract(
    "workspace: POST/GET /v1/webhooks", "workspace: Events: conversation.created",
    "workspace: Ids are strings with a prefix", "workspace: Making a webhook, rule, contact",
    "behaviour: In a create, null for", "behaviour: Also available by name",
)  # fmt: skip
def test_a_webhook(robot, clock, caplog):
    """made, shown, listed, changed, deleted; its secret in the first answer and nowhere else"""
    caplog.set_level(logging.DEBUG)
    made = make(robot, events=None, enabled=None, secret=None, colour="blue")
    secret = made["secret"]
    assert list(made.items()) == [
        ("id", made["id"]), ("url", HOOK), ("events", ALL), ("enabled", True), ("secret", secret),
        ("disabled_reason", None), ("failing_since", None), ("created_at", NOW), ("updated_at", NOW),
    ]  # fmt: skip
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    row = row_of_hook(made)
    assert unseal(row.secret) == secret
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert ok(robot.get(of(made))) == shown

    clock.shift(60)
    chosen = ["conversation.read", "conversation.message.created", "conversation.deleted", "conversation.read"]
    second = make(robot, url="http://hooks.example.com:8080/", events=chosen, enabled=False, secret=MINE)
    assert second["events"] == ["conversation.message.created", "conversation.deleted", "conversation.read"]
    assert (second["enabled"], second["disabled_reason"], second["secret"]) == (False, "by_hand", MINE)
    second.pop("secret")
    pagination = {"limit": 20, "offset": 0, "total": 2, "has_more": False}
    assert ok(robot.get(URL)) == {"webhooks": [shown, second], "pagination": pagination}
    assert ok(robot.get(f"{URL}?limit=1&offset=1")) == {
        "webhooks": [second], "pagination": {**pagination, "limit": 1, "offset": 1}
    }  # fmt: skip

    changed = ok(robot.patch(of(second), {"enabled": True, "events": None, "url": HOOK, "secret": secret}))
    assert changed == {**second, "url": HOOK, "events": ALL, "enabled": True, "disabled_reason": None}
    assert unseal(row_of_hook(second).secret) == secret
    before = everything()
    assert ok(robot.patch(of(second), {})) == ok(robot.patch(of(second), {"enabled": True})) == changed
    assert everything() == before
    WebhookEndpoint.objects.filter(pk=row.pk).update(disabled="gone", failing_since=timezone.now())
    told = ok(robot.get(of(made)))
    assert (told["enabled"], told["disabled_reason"], told["failing_since"]) == (False, "gone", "2027-03-01T12:01:00Z")
    again = ok(robot.patch(of(made), {"enabled": True}))
    assert (again["disabled_reason"], again["failing_since"]) == (None, None)

    delivery(second)
    answer = robot.delete(of(second))
    assert (answer.status_code, answer.content) == (204, b"")
    assert_refused(robot.get(of(second)), "1004")
    assert (WebhookEndpoint.objects.count(), WebhookDelivery.objects.count()) == (1, 0)
    assert secret not in caplog.text
    assert MINE not in caplog.text


@pytest.mark.contract("README: Every write honours an optional Idempotency-Key")
def test_an_answer_with_a_secret_is_not_kept(robot):
    made = [robot.post(URL, {"url": HOOK}, Idempotency_Key="hook-1").json() for _ in range(2)]
    assert made[0]["id"] != made[1]["id"]
    rotated = [robot.post(of(made[0], "rotate-secret"), Idempotency_Key="hook-2").json() for _ in range(2)]
    assert rotated[0]["secret"] != rotated[1]["secret"]
    tests = [robot.post(of(made[0], "test"), Idempotency_Key="hook-3").json() for _ in range(2)]
    assert tests[0] == tests[1]
    kept = str(everything()["IdempotencyKey"])
    assert all(one["secret"] not in kept for one in [*made, *rotated])


@pytest.mark.contract("workspace: POST/GET /v1/webhooks", "workspace: At least once, in order per conversation")
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        *(
            ({"url": url}, "url")
            for url in (
                None, "", "x", 5, [], "ftp://hooks.example.com", "https://", "https://user:pass@example.com/",
                "http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest", "http://[::1]/",
                "http://10.0.0.1:8080", "http://0x7f.1/", "http://2130706433/", "http://hooks.example.com:22/",
                "https://hooks.example.com/" + "x" * 2000, "https://hooks.example.com/a b",
            )
        ),
        ({"events": []}, "events"), ({"events": "conversation.created"}, "events"),
        ({"events": ["conversation.note.created"]}, "events.0"), ({"events": [ALL[0], "webhook.test"]}, "events.1"),
        ({"events": [ALL[0]] * 9}, "events"),
        ({"enabled": "true"}, "enabled"), ({"enabled": 1}, "enabled"),
        *(
            ({"secret": secret}, "secret")
            for secret in ("", "x", 5, "whsec_", "whsec_" + base64.b64encode(b"x" * 23).decode(), MINE[6:],
                           "whsec_" + base64.b64encode(b"x" * 65).decode(), "whsec_" + "é" * 40, MINE + "=" * 200)
        ),
    ],
)  # fmt: skip
def test_what_is_refused(robot, fields, wrong):
    made = make(robot)
    before = everything()
    assert wrong_fields(robot.post(URL, {"url": HOOK, **fields})) == [wrong]
    assert wrong_fields(robot.patch(of(made), fields)) == [wrong]
    if "secret" in fields:
        assert wrong_fields(robot.post(of(made, "rotate-secret"), fields)) == [wrong]
    assert everything() == before


@pytest.mark.contract("behaviour: Token scopes: conversations:read", "workspace: 1002 | 403 | Forbidden")
def test_webhooks_need_their_scope(acme, robot):
    made = make(robot)
    row = delivery(made)
    others = robot_of(acme, scopes=["conversations:read", "conversations:write", "settings", "people", "search"])
    before = everything()
    for answer in (
        others.get(URL), others.post(URL, {"url": HOOK}), others.get(of(made)), others.patch(of(made), {}),
        others.delete(of(made)), others.post(of(made, "test")), others.post(of(made, "rotate-secret")),
        others.get(of(made, "deliveries")), others.get(of(made, "deliveries", name_of(row))),
        others.post(of(made, "deliveries", name_of(row), "redeliver")),
    ):  # fmt: skip
        assert_refused(answer, "1002")
    assert everything() == before


@pytest.mark.contract("workspace: 1004 | 404")
def test_others_webhooks_are_nobodys(robot, foreign_robot):
    """nor is a delivery of one webhook another's, of the same workspace"""
    theirs, mine, other = make(foreign_robot), make(robot), make(robot)
    of_theirs, of_other = delivery(theirs), delivery(other)
    before = everything()
    for name in (theirs["id"], "webhook_" + "0" * 32, theirs["id"].upper(), "rule_" + theirs["id"][8:]):
        url = f"{URL}/{name}"
        for answer in (
            robot.get(url), robot.patch(url, {"enabled": False}), robot.delete(url), robot.post(f"{url}/test"),
            robot.post(f"{url}/rotate-secret"), robot.post(f"{url}/redeliver", {"since": NOW}),
            robot.get(f"{url}/deliveries"), robot.get(f"{url}/deliveries/{name_of(of_theirs)}"),
        ):  # fmt: skip
            assert_refused(answer, "1004")
    for row in (of_theirs, of_other):
        for answer in (
            robot.get(of(mine, "deliveries", name_of(row))),
            robot.post(of(mine, "deliveries", name_of(row), "redeliver")),
        ):
            assert_refused(answer, "1004")
    assert ok(robot.get(of(mine, "deliveries")))["deliveries"] == []
    assert everything() == before


@pytest.mark.contract("workspace: POST/GET /v1/webhooks")
def test_deliveries_with_their_attempts(robot, clock):
    made, conversation = make(robot), begin(robot)
    rows = [
        delivery(made, conversation=row_of(conversation), event_id=5, state="failed", attempt_count=2,
                 finished_at=timezone.now()),
        delivery(made, kind="conversation.updated", body="", state="pending", conversation=row_of(conversation)),
        delivery(made, kind="webhook.test", state="delivered", attempt_count=1, finished_at=timezone.now()),
    ]  # fmt: skip
    headers = {"webhook-id": "x", "webhook-signature": "v1,c2VjcmV0", "content-type": "application/json"}
    for status, error, body in ((500, "", "<b>Oops</b>"), (None, "timeout", "")):
        WebhookAttempt.objects.create(
            delivery=rows[0], at=timezone.now(), duration=1234, status=status, error=error, request_headers=headers,
            response_headers={"server": "x"} if status else {}, response_body=body,
        )  # fmt: skip
    page = ok(robot.get(of(made, "deliveries")))
    assert [one["id"] for one in page["deliveries"]] == [name_of(row) for row in reversed(rows)]
    assert page["pagination"] == {"limit": 20, "offset": 0, "total": 3, "has_more": False}
    first = {
        "id": name_of(rows[0]), "webhook_id": made["id"], "event": "conversation.created",
        "conversation_id": conversation["id"], "status": "failed", "attempt_count": 2, "created_at": NOW,
        "finished_at": NOW,
    }  # fmt: skip
    assert list(page["deliveries"][2].items()) == list(first.items())
    assert (page["deliveries"][0]["conversation_id"], page["deliveries"][1]["finished_at"]) == (None, None)
    for state, row in zip(("failed", "pending", "delivered"), rows, strict=True):
        found = ok(robot.get(of(made, f"deliveries?status={state}")))
        assert ([one["id"] for one in found["deliveries"]], found["pagination"]["total"]) == ([name_of(row)], 1)
    assert wrong_fields(robot.get(of(made, "deliveries?status=x"))) == ["status"]
    assert [one["id"] for one in ok(robot.get(of(made, "deliveries?limit=1&offset=1")))["deliveries"]] == [
        name_of(rows[1])
    ]

    sent = {**headers, "webhook-signature": "…"}
    attempt = {"at": NOW, "duration_ms": 1234, "request_headers": sent}
    assert ok(robot.get(of(made, "deliveries", name_of(rows[0])))) == {
        **first,
        "payload": {"event": "conversation.created"},
        "attempts": [
            {**attempt, "status": 500, "error": None, "response_headers": {"server": "x"},
             "response_body": "<b>Oops</b>"},
            {**attempt, "status": None, "error": "timeout", "response_headers": {}, "response_body": ""},
        ],
    }  # fmt: skip
    bare = ok(robot.get(of(made, "deliveries", name_of(rows[1]))))
    assert (bare["payload"], bare["attempts"]) == (None, [])


@pytest.mark.contract("workspace: POST/GET /v1/webhooks")
def test_a_test_and_redelivering(robot, clock):
    made = make(robot)
    sent = ok(robot.post(of(made, "test")), 202)
    assert sent == {
        "id": sent["id"], "webhook_id": made["id"], "event": "webhook.test", "conversation_id": None,
        "status": "pending", "attempt_count": 0, "created_at": NOW, "finished_at": None,
    }  # fmt: skip
    assert ok(robot.get(of(made, "deliveries")))["deliveries"] == [sent]

    begin(robot)
    [event] = Event.objects.all()
    failed = delivery(made, conversation=event.conversation, event_id=event.pk, state="failed", attempt_count=10)
    older = delivery(made, state="failed", created_at=timezone.now() - timedelta(days=1))
    again = ok(robot.post(of(made, "deliveries", name_of(failed), "redeliver")), 202)
    assert (again["id"], again["status"], again["attempt_count"]) == (name_of(failed), "pending", 0)
    WebhookDelivery.objects.filter(pk=failed.pk).update(state="failed")
    assert ok(robot.post(of(made, "redeliver"), {"since": NOW}), 202) == {"count": 1}
    assert WebhookDelivery.objects.get(pk=failed.pk).state == "pending"
    assert WebhookDelivery.objects.get(pk=older.pk).state == "failed"
    before = everything()
    for since in (None, "", "yesterday", 5, [], "2027-13-01"):
        assert wrong_fields(robot.post(of(made, "redeliver"), {"since": since})) == ["since"]
    assert wrong_fields(robot.post(of(made, "redeliver"), {})) == ["since"]
    assert everything() == before

    ok(robot.patch(of(made), {"enabled": False}))
    before = everything()
    for answer in (
        robot.post(of(made, "test")), robot.post(of(made, "redeliver"), {"since": NOW}),
        robot.post(of(made, "deliveries", name_of(failed), "redeliver")),
    ):  # fmt: skip
        assert_refused(answer, "1006")
    assert everything() == before


def test_another_secret(robot, clock):
    made = make(robot)
    rotated = ok(robot.post(of(made, "rotate-secret")))
    assert rotated == {"secret": rotated["secret"], "former_secret_expires_at": "2027-03-02T12:00:00Z"}
    row = row_of_hook(made)
    assert (unseal(row.secret), unseal(row.former_secret)) == (rotated["secret"], made["secret"])
    assert ok(robot.post(of(made, "rotate-secret"), {"secret": MINE}))["secret"] == MINE
    assert MINE not in str(ok(robot.get(of(made))))


def test_lists_run_the_same_statements_however_many_there_are(robot):
    made = make(robot)
    row = delivery(made)
    paths = (URL, of(made, "deliveries"), of(made, "deliveries", name_of(row)))
    few = [len(statements(lambda path=path: robot.get(path))) for path in paths]
    for _ in range(6):
        make(robot)
        delivery(made, conversation=row_of(begin(robot)))
        WebhookAttempt.objects.create(delivery=row, at=timezone.now(), duration=1)
    many = [len(statements(lambda path=path: robot.get(path))) for path in paths]
    assert few == many == [1, 2, 3]
