"""contracts/whatsapp.md, Errors: the service account, the deadline, the token, what is unforeseen."""

import logging
import threading
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from chatplatform.tests.store import everything
from clients import actions
from clients.models import Client, User

URL = "/api/chat/create"
BODY = {"session_name": "ses_acme", "chat_id": "wa-1", "number_client": 34600123456}
PERMISSION = {"error": "Error de permisos", "details": "Token de admin inválido o expirado"}
CANCELLED = {"error": "La solicitud fue cancelada", "details": "Por favor, intenta de nuevo"}


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.delete(),
        lambda rows: rows.update(is_active=False),
        lambda rows: rows.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda rows: rows.update(username="somebody else"),
        lambda rows: rows.update(role="client_admin", is_staff=True, client=Client.objects.get(), is_active=False),
        lambda rows: rows.update(role="", client=Client.objects.get()),
    ],
    ids=["missing", "disabled", "expired", "renamed", "disabled staff", "not allowed"],
)
def test_the_service_account_may_not_add_conversations(api, acme, change):
    """403: the internal service account is missing, disabled, expired or not allowed to add conversations"""
    rows = User.objects.filter(username="service")
    change(rows)
    before = everything()
    answer = api().post(URL, BODY)
    assert (answer.status_code, answer.json()) == (403, PERMISSION)
    assert everything() == before


@contextmanager
def held():
    """Another connection holds what the call needs: the table on PostgreSQL, the write lock on SQLite."""
    if connection.vendor == "sqlite":
        ready, done = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic():  # on this thread's own connection
                ready.set()
                done.wait(20)
            connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        ready.wait(10)
        try:
            yield
        finally:
            done.set()
            thread.join()
        return
    values = connection.settings_dict
    other = psycopg.connect(
        host=values["HOST"], port=values["PORT"] or 5432, user=values["USER"], password=values["PASSWORD"],
        dbname=values["NAME"],
    )  # fmt: skip
    try:
        other.execute("LOCK TABLE conversations_conversation IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        other.rollback()
        other.close()


def test_a_database_that_does_not_answer_in_time(transactional_db, api, acme, settings):
    """408: the database did not answer within this endpoint's deadline. Nothing is written; a retry is safe"""
    settings.WHATSAPP_DEADLINE = 0.2
    before = everything()
    with held():
        began = timezone.now()
        answer = api().post(URL, BODY)
        waited = timezone.now() - began
    assert (answer.status_code, answer.json()) == (408, CANCELLED)
    assert waited < timedelta(seconds=3)
    assert everything() == before
    assert api().post(URL, BODY).status_code == 200


@pytest.fixture
def demanding(settings):
    settings.WHATSAPP_REQUIRES_TOKEN = True


def test_a_deployment_can_demand_a_token(demanding, api, acme, rival):
    """A deployment can demand an API token besides (off by default)"""
    before = everything()
    answer = api().post(URL, BODY)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Unauthorized", "details": "Authentication credentials were not provided."}
    answer = api().post(URL, BODY, Authorization="Bearer cpt_wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")
    assert everything() == before
    answer = api().post(URL, BODY, Authorization=f"Bearer {rival.api_token.secret}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Client not found"})
    assert api().post(URL, BODY, Authorization=f"Bearer {acme.api_token.secret}").status_code == 200


def test_a_revoked_or_expired_token_is_refused(demanding, api, acme):
    actions.revoke(acme.api_token.token)
    old = actions.create_api_token(client=acme.client, name="Old", expires_at=timezone.now())
    for new in (acme.api_token, old):
        assert api().post(URL, BODY, Authorization=f"Bearer {new.secret}").status_code == 401


def test_anything_else_is_a_500_with_a_reference(api, acme, monkeypatch, caplog):
    """500 {"error": "Error procesando la solicitud", "details": "<opaque reference>"}, also in the log"""

    def crash(*args, **kwargs):
        raise ZeroDivisionError("SELECT secret FROM /srv/chat/app.py")

    monkeypatch.setattr("chatplatform.dialects.whatsapp.chats.open_chat", crash)
    before = everything()
    with caplog.at_level(logging.ERROR, logger="chatplatform.dialects"):
        answer = api().post(URL, BODY)
    assert answer.status_code == 500
    assert list(answer.json()) == ["error", "details"]
    assert answer.json()["error"] == "Error procesando la solicitud"
    reference = answer.json()["details"]
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert b"SELECT" not in answer.content
    assert b"ZeroDivision" not in answer.content
    assert everything() == before


def test_other_errors_have_the_same_envelope(api, acme):
    """{"error", "details"?}"""
    for method, path, body, status in [
        ("GET", URL, None, 405),
        ("DELETE", URL, None, 405),
        ("POST", f"{URL}/more", {}, 404),
        ("POST", URL, "[]", 400),
        ("POST", URL, "{", 400),
    ]:
        answer = api()(method, path, body)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/json"
        assert list(answer.json()) == ["error", "details"]
    assert api()("POST", URL, "{").json() == {
        "error": "Validation error", "details": "body: The body is not valid JSON.",
    }  # fmt: skip
