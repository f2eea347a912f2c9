"""contracts/accounts.md: "after 5 failures in a row for a name+address the sixth try is 429 with Retry-After
(15 minutes)"."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine
from axes.models import AccessAttempt
from django.db import connections
from django.test import Client as HttpClient

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def attempt(login, password, address="203.0.113.7", **headers):
    return HttpClient().post(
        "/api/auth/token",
        {"email": login, "password": password},
        content_type="application/json",
        REMOTE_ADDR=address,
        headers=headers,
    )


def fail(login, times=5, **given):
    assert [attempt(login, "not the password", **given).status_code for _ in range(times)] == [401] * times


@pytest.mark.contract("accounts: Wrong credentials: 401")
def test_the_sixth_try_is_refused_for_fifteen_minutes(acme, clock):
    maya = acme.users[0]
    fail(maya.user.email)
    for password in ("not the password", maya.password):
        answer = attempt(maya.user.email, password)
        assert answer.status_code == 429
        assert answer["Content-Type"] == "application/json"
        assert list(answer.json()) == ["detail"]
        assert answer["Retry-After"] == "900"
    clock.shift(timedelta(minutes=15, seconds=-1))
    assert attempt(maya.user.email, maya.password).status_code == 429
    clock.shift(timedelta(seconds=2))
    assert attempt(maya.user.email, maya.password).status_code == 200


@pytest.mark.contract("accounts: Wrong credentials: 401")
def test_another_address_and_another_name_are_not_locked(acme, clock):
    maya, omar = acme.users
    fail(maya.user.email)
    assert attempt(maya.user.email, maya.password).status_code == 429
    assert attempt(maya.user.email, maya.password, address="203.0.113.8").status_code == 200
    assert attempt(omar.user.email, omar.password).status_code == 200
    assert attempt(maya.user.email, maya.password).status_code == 429


@pytest.mark.contract("accounts: Wrong credentials: 401")
def test_a_success_begins_the_count_anew(acme, clock):
    """5 failures in a row"""
    maya = acme.users[0]
    fail(maya.user.email, 4)
    assert attempt(maya.user.email, maya.password).status_code == 200
    fail(maya.user.email, 4)
    assert attempt(maya.user.email, maya.password).status_code == 200


@pytest.mark.contract("accounts: Wrong credentials: 401")
def test_an_unknown_name_is_locked_alike(acme, clock):
    """Else the lock would tell who exists."""
    fail("nobody@example.com")
    assert attempt("nobody@example.com", "x").status_code == 429


def test_another_spelling_of_the_name_gives_no_more_tries(acme, clock):
    """E-mail addresses know no case: neither does the count of their failures."""
    maya = acme.users[0]
    fail(maya.user.email, 3)
    fail(maya.user.email.upper(), 2)
    assert attempt(maya.user.email, maya.password).status_code == 429
    assert attempt(maya.user.email.title(), maya.password).status_code == 429


def test_a_forged_address_gives_no_more_tries(acme, clock):
    maya = acme.users[0]
    for n in range(5):
        assert attempt(maya.user.email, "x", **{"X-Forwarded-For": f"198.51.100.{n}"}).status_code == 401
    assert attempt(maya.user.email, maya.password, **{"X-Forwarded-For": "198.51.100.9"}).status_code == 429


def test_behind_a_proxy_of_ours_the_callers_own_address_counts(acme, clock, settings):
    settings.TRUSTED_PROXIES = 1
    maya = acme.users[0]
    for _ in range(5):
        attempt(maya.user.email, "x", **{"X-Forwarded-For": "10.9.9.9, 198.51.100.1"})
    assert attempt(maya.user.email, maya.password, **{"X-Forwarded-For": "198.51.100.1"}).status_code == 429
    assert attempt(maya.user.email, maya.password, **{"X-Forwarded-For": "198.51.100.2"}).status_code == 200


def test_another_browser_gives_no_more_tries(acme, clock):
    maya = acme.users[0]
    for n in range(5):
        attempt(maya.user.email, "x", **{"User-Agent": f"browser/{n}"})
    assert attempt(maya.user.email, maya.password, **{"User-Agent": "browser/9"}).status_code == 429


# --- many at once ---


def burst(tries, count=20):
    """How often each status was answered to tries that begin together."""
    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(lambda _: tries(), range(count)))


@pytest.mark.contract("accounts: Wrong credentials: 401")
@pytest.mark.parametrize("path", ["token", "login"])
def test_of_many_wrong_tries_at_once_five_are_let_guess(live_server_url, acme, path):
    def attempt_of(login, password):
        body = {"email": login, "password": password}
        return lambda: requests.post(f"{live_server_url}/api/auth/{path}", json=body, timeout=60).status_code

    maya, omar = acme.users
    for login in (maya.user.email, "nobody@example.com"):
        assert burst(attempt_of(login, "not the password")) == {401: 5, 429: 15}
    assert attempt_of(maya.user.email, maya.password)() == 429
    assert burst(attempt_of(omar.user.email, omar.password)) == {200: 20}


@pytest.mark.usefixtures("transactional_db", "plain_static_files")
def test_in_the_admin_too(acme):
    """The fifth failure shows the lock already."""

    def try_it():
        try:
            given = {"username": acme.staff.user.email, "password": "not it"}
            return HttpClient().post("/admin/login/", given).status_code
        finally:
            connections.close_all()

    assert burst(try_it) == {200: 4, 429: 16}
    assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == 5
