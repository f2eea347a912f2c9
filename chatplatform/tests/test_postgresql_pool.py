"""A restarted database costs no request: broken connections of the pool are replaced before they are used."""

import threading

import psycopg
import pytest
from django.db import connection

from conftest import database_environment

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="the pool is PostgreSQL's")


def in_threads(number, work):
    """Runs `work` in so many threads at once, each with a connection of its own."""
    barrier, results = threading.Barrier(number, timeout=20), []

    def run():
        barrier.wait()
        try:
            results.append(work(barrier))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def one(barrier):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        barrier.wait()  # all hold a connection at the same time
        return cursor.fetchone()[0]


def test_connections_that_the_server_dropped_are_replaced(transactional_db):
    assert in_threads(4, one) == [1] * 4  # the pool keeps several idle ones from here on
    connection.close()
    with psycopg.connect(database_environment()["DATABASE_URL"], autocommit=True) as other:
        [dropped] = other.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"  # and waits until it is gone
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert dropped >= 4
    assert in_threads(4, one) == [1] * 4
