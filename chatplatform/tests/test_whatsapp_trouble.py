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
from clients.models import Client, IdempotencyKey, User

URL = "/api/chat/create"
BODY = {"session_name": "ses_acme", "chat_id": "wa-1", "number_client": 34600123456}
PERMISSION = {"error": "Error de permisos", "details": "Token de admin inválido o expirado"}
CANCELLED = {"error": "La solicitud fue cancelada", "details": "Por favor, intenta de nuevo"}


@pytest.mark.contract("whatsapp: Error de permisos", "whatsapp: No credential: the server acts")
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
def held(table="conversations_conversation"):
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
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        other.rollback()
        other.close()


@pytest.mark.contract(
    "whatsapp: La solicitud fue cancelada", "whatsapp: A 408 says", "behaviour: platform answers its documented 500"
)
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


@pytest.mark.parametrize("table", ["conversations_conversation", "clients_idempotencykey"])
def test_the_deadline_holds_with_an_idempotency_key(transactional_db, api, acme, settings, table):
    """The key's own transaction is within it, and nothing is kept: a retry with the key makes the chat."""
    settings.WHATSAPP_DEADLINE = 0.2
    before = everything()
    with held(table):
        began = timezone.now()
        answer = api().post(URL, BODY, Idempotency_Key="k1")
        waited = timezone.now() - began
    assert (answer.status_code, answer.json()) == (408, CANCELLED)
    assert waited < timedelta(seconds=3)
    assert everything() == before
    assert api().post(URL, BODY, Idempotency_Key="k1").status_code == 200
    if connection.vendor == "sqlite":
        assert connection.write_timeout == 20


@pytest.mark.contract("README: The caller is the credential")
def test_a_key_is_the_sessions(api, acme, rival):
    """In `whatsapp` the caller is the session; one that is nobody's, or not even a string, keeps nothing."""
    answers = [
        api().post(URL, {"session_name": session, "chat_id": "wa-1"}, Idempotency_Key="k1")
        for session in ("ses_acme", "ses_rival", "ses_nobody", 7, None)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 400, 400]
    assert IdempotencyKey.objects.count() == 2
    answer = api().post(URL, {"session_name": "ses_acme", "chat_id": "wa-2"}, Idempotency_Key="k1")
    assert (answer.status_code, answer.json()) == (
        409, {"error": "Conflict", "details": "Idempotency-Key was used for another request"},
    )  # fmt: skip
    Client.objects.filter(pk=acme.client.pk).update(is_active=False)
    answer = api().post(URL, {"session_name": "ses_acme", "chat_id": "wa-1"}, Idempotency_Key="k1")
    assert (answer.status_code, answer.json()) == (404, {"error": "Client not found"})


@pytest.fixture
def demanding(settings):
    settings.WHATSAPP_REQUIRES_TOKEN = True


@pytest.mark.contract("whatsapp: A deployment can demand")
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


@pytest.mark.contract("whatsapp: A deployment can demand")
def test_a_revoked_or_expired_token_is_refused(demanding, api, acme):
    actions.revoke(acme.api_token.token)
    old = actions.create_api_token(client=acme.client, name="Old", expires_at=timezone.now())
    for new in (acme.api_token, old):
        assert api().post(URL, BODY, Authorization=f"Bearer {new.secret}").status_code == 401


@pytest.mark.contract("whatsapp: Error procesando la solicitud", "README: 500 never shows a traceback")
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


@pytest.mark.contract("whatsapp: Validation error", "README: Every error, 404 for an unknown path")
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
