"""Mail to the Client admins whose webhook was put out of service."""

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from chatplatform.worker.executor import Executor
from clients.actions import NewTenant, create_user
from clients.models import Client, User
from messaging.actions.webhooks import create_endpoint
from messaging.models import WebhookEndpoint
from messaging.webhooks import telling
from messaging.webhooks.telling import enqueue, tell_disabled


@pytest.fixture
def row(acme: NewTenant) -> WebhookEndpoint:
    return create_endpoint(client_id=acme.client.pk, url="https://hooks.example.com/chat?a=1&b=2")[0]


def disable(row: WebhookEndpoint, why: str = "failing") -> None:
    WebhookEndpoint.objects.filter(pk=row.pk).update(disabled=why, failing_since=timezone.now())


def tell(row: WebhookEndpoint) -> list[bool]:
    """What a worker makes of the mails that are to be sent."""
    row.refresh_from_db()
    enqueue(row)
    work()
    rows = DBTaskResult.objects.order_by("enqueued_at")
    said = [bool(one.return_value) for one in rows]
    rows.delete()
    return said


def work() -> None:
    executor = Executor("a worker")
    while executor.step():
        pass


def admin(tenant: NewTenant, name: str, **columns: Any) -> User:
    user = create_user(
        client=tenant.client, name=name, email=f"{name}@example.com", role=columns.pop("role", "client_admin")
    ).user
    User.objects.filter(pk=user.pk).update(**columns)
    return user


def test_each_client_admin_with_an_address_gets_one(
    acme: NewTenant, rival: NewTenant, row: WebhookEndpoint, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://chat.example.com"
    User.objects.filter(pk=acme.staff.user.pk).update(email="")
    admin(acme, "ana")
    admin(acme, "budi")
    admin(acme, "gone", is_active=False)
    admin(acme, "expired", expires_at=timezone.now())
    admin(acme, "sam", role="supervisor")
    admin(rival, "rita")
    disable(row)
    assert tell(row) == [True, True]
    assert [one.to for one in mail.outbox] == [["ana@example.com"], ["budi@example.com"]]
    assert mail.outbox[0].subject == "A webhook of Acme is disabled"
    body = mail.outbox[0].body
    assert "https://hooks.example.com/chat?a=1&b=2" in body
    assert "It has taken nothing since" in body
    assert f"https://chat.example.com/admin/messaging/webhookendpoint/{row.pk}/change/" in body


def test_it_says_why_and_only_while_it_is_so(acme: NewTenant, row: WebhookEndpoint) -> None:
    User.objects.filter(pk=acme.staff.user.pk).update(email="")
    ana = admin(acme, "ana")
    for why in ("", "by hand"):
        disable(row, why)
        assert tell(row) == [False]
    assert tell_disabled.call(0, ana.pk) is False
    disable(row)
    assert tell_disabled.call(row.pk, acme.staff.user.pk) is False  # whose address is gone
    assert mail.outbox == []
    disable(row, "gone")
    Client.objects.filter(pk=acme.client.pk).update(is_active=False)
    assert tell(row) == [False]
    assert mail.outbox == []
    Client.objects.filter(pk=acme.client.pk).update(is_active=True, name="Acme\r\nBcc: all@example.com", language="es")
    assert tell(row) == [True]
    assert "410" in mail.outbox[0].body
    assert "\n" not in mail.outbox[0].subject


def test_a_mail_server_that_is_away_is_tried_again(
    acme: NewTenant, row: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """and holds up nobody else's mail"""
    User.objects.filter(pk=acme.staff.user.pk).update(email="")
    admin(acme, "ana")
    admin(acme, "budi")
    disable(row)
    row.refresh_from_db()
    enqueue(row)
    really = telling.send_mail

    def refuse_ana(subject: str, text: str, sender: None, to: list[str]) -> None:
        if to == ["ana@example.com"]:
            raise ConnectionRefusedError
        really(subject, text, sender, to)

    monkeypatch.setattr(telling, "send_mail", refuse_ana)
    work()
    assert [one.to for one in mail.outbox] == [["budi@example.com"]]
    assert sorted(DBTaskResult.objects.values_list("status", flat=True)) == ["READY", "SUCCESSFUL"]
    monkeypatch.undo()
    DBTaskResult.objects.update(run_after=timezone.now())
    work()
    assert [one.to for one in mail.outbox] == [["budi@example.com"], ["ana@example.com"]]


def test_nobody_to_tell_is_in_the_log(acme: NewTenant, row: WebhookEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    User.objects.filter(pk=acme.staff.user.pk).update(email="")
    disable(row)
    assert tell(row) == []
    assert str(row.uuid) in caplog.text
