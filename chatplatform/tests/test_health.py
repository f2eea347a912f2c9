"""contracts/accounts.md: `/healthz` and `/readyz`."""

import pytest
from django.db import OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


@pytest.mark.contract("accounts: GET /healthz answers")
def test_alive_without_a_database(client):
    """GET /healthz answers 200 when the process lives"""
    answer = client.get("/healthz")  # a query would be refused: this test has no database
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.contract("accounts: GET /healthz answers")
def test_ready(db, client):
    """GET /readyz 200 when database, migrations and queue are usable"""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.contract("accounts: GET /healthz answers")
def test_a_migration_that_is_not_applied_is_named(db, client):
    """else 503 naming what is not"""
    [newest] = MigrationLoader(connection).graph.leaf_nodes("messaging")
    MigrationRecorder(connection).record_unapplied(*newest)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "failing": ["migrations"]})


@pytest.mark.contract("accounts: GET /healthz answers")
def test_a_database_that_is_away_is_named(db, client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("could not connect to 10.0.0.5, password=hunter2")

    with monkeypatch.context() as patched:
        patched.setattr(connections["default"], "cursor", away)
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["failing"] == ["database", "migrations", "queue"]
    assert b"hunter2" not in answer.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_need_no_credential_and_tell_nothing_else(db, client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer["Content-Type"] == "application/json"
    assert list(answer.json()) == ["status"]
