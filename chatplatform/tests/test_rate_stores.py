"""Where calls are counted: memory, a mapped file, PostgreSQL, Redis. Each is exact, and none grows."""

import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.db import connection, connections

from chatplatform.tests.rate_stores import redis_address
from clients import rates
from clients.models import RateWindow
from clients.rates import Limit, mapped
from clients.rates.mapped import Mapped
from clients.rates.memory import Memory
from clients.rates.postgresql import PostgreSQL
from clients.rates.redis import _PREFIX, Redis

ROOT = Path(__file__).parents[2]


def redis_store() -> Redis:
    return Redis(redis_address())


@pytest.fixture(params=["memory", "mapped", "postgresql", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Any]:
    """Makes a store that shares its counts with the others that it made (but for one process's memory)."""
    if request.param == "postgresql" and connection.vendor != "postgresql":
        pytest.skip("counts are in the database on PostgreSQL only")
    memory = Memory()
    return {
        "memory": lambda: memory, "mapped": lambda: Mapped(str(tmp_path / "rates")), "postgresql": PostgreSQL,
        "redis": redis_store,
    }[request.param]  # fmt: skip


def of(most: int) -> Limit:
    """Nobody else's: what Redis has stays there."""
    return Limit(f"test:{uuid.uuid4()}", most)


@pytest.mark.usefixtures("db")
def test_as_many_as_the_limit_are_let_in(make):
    store, limit = make(), of(3)
    found = [store.spend(limit, None) for _ in range(5)]
    assert [one.accepted for one in found] == [True, True, True, False, False]
    assert [one.remaining for one in found] == [2, 1, 0, 0, 0]
    assert max(one.ends for one in found) - min(one.ends for one in found) < 0.1
    assert all(59 <= one.left <= 60 and one.wait == 60 for one in found)
    assert store.spend(of(3), None).remaining == 2
    assert not make().spend(limit, None).accepted


@pytest.mark.usefixtures("db")
def test_a_refusal_counts_nothing(make):
    store, few = make(), of(2)
    more = Limit(few.key, 5)
    assert [store.spend(few, None).accepted for _ in range(9)] == [True] * 2 + [False] * 7
    assert [store.spend(more, None).remaining for _ in range(3)] == [2, 1, 0]
    assert not store.spend(more, None).accepted
    assert not store.spend(few, None).accepted


@pytest.mark.usefixtures("db")
def test_what_another_limit_refuses_counts_nothing(make):
    store, guesses, calls = make(), of(2), of(3)
    assert store.spend(calls, guesses).remaining == 2
    assert [store.spend(guesses, None).accepted for _ in range(2)] == [True, True]
    refused = store.spend(calls, guesses)
    assert (refused.accepted, refused.limit, refused.remaining) == (False, guesses, 0)
    assert make().spend(calls, guesses).limit == guesses
    assert [store.spend(calls, None).accepted for _ in range(3)] == [True, True, False]


@pytest.mark.contract("behaviour: Fixed windows of one minute")
@pytest.mark.usefixtures("clock", "db")
def test_a_window_lasts_a_minute_from_the_first_call(make, clock):
    store, limit = make(), of(2)
    if isinstance(store, Redis):
        pytest.skip("Redis goes by its own clock")
    begun = store.spend(limit, None)
    clock.shift(59)
    assert store.spend(limit, None).ends == begun.ends
    clock.shift(0.999)
    refused = store.spend(limit, None)
    assert (refused.accepted, refused.ends, refused.wait) == (False, begun.ends, 1)
    clock.shift(0.002)
    new = store.spend(limit, None)
    assert (new.accepted, new.remaining) == (True, 1)
    assert new.ends == pytest.approx(begun.ends + 60.001, abs=1e-3)


@pytest.mark.usefixtures("clock", "db")
def test_a_clock_that_was_set_back_keeps_nobody_out(make, clock):
    store, limit = make(), of(1)
    if isinstance(store, Redis):
        pytest.skip("Redis goes by its own clock")
    assert store.spend(limit, None).accepted
    clock.shift(-3600)
    assert store.spend(limit, None).accepted
    assert not store.spend(limit, None).accepted


def test_exact_among_threads(make, transactional_db):
    limit, stores = of(500), [make(), make()]

    def call(number: int) -> bool:
        found = bool(stores[number % 2].spend(limit, None).accepted)
        connections.close_all()
        return found

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(call, range(640))) == {True: 500, False: 140}


def test_exact_among_processes(tmp_path):
    script = (
        "import sys; from clients.rates.mapped import Mapped; from clients.rates.store import Limit\n"
        "store = Mapped(sys.argv[1])\n"
        "print(sum(store.spend(Limit('one', 500), None).accepted for _ in range(200)))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "rates")]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatplatform.settings"}
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert sum(int(one.communicate(timeout=60)[0]) for one in running) == 500


# --- nothing grows ---


def test_memory_forgets_what_has_ended(clock):
    store = Memory()
    for _ in range(5000):
        store.spend(of(1), None)
    clock.shift(30)
    late = of(1)
    store.spend(late, None)
    assert len(store) == 5001
    clock.shift(31)
    store.spend(of(1), None)
    assert len(store) == 2
    assert not store.spend(late, None).accepted


def test_a_full_file_forgets_the_window_that_ends_first(clock, tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "_BUCKETS", 1)
    store, limits = Mapped(str(tmp_path / "rates")), [of(1) for _ in range(17)]
    size = (tmp_path / "rates").stat().st_size
    for limit in limits:
        assert store.spend(limit, None).accepted
        clock.shift(1)
    assert [store.spend(limit, None).accepted for limit in limits[1:]] == [False] * 16
    assert store.spend(limits[0], None).accepted
    assert (tmp_path / "rates").stat().st_size == size
    assert (tmp_path / "rates").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_rows_that_have_ended_are_swept_in_passing(clock, db, monkeypatch):
    store = PostgreSQL()
    ended = [of(1) for _ in range(3)]
    for limit in ended:
        store.spend(limit, None)
    clock.shift(60)
    kept = of(2)
    store.spend(kept, None)
    assert RateWindow.objects.count() == 4  # not at each
    store._swept -= 60
    store.spend(kept, None)
    assert RateWindow.objects.count() == 4  # nor by a call within a window
    store.spend(of(1), None)
    assert RateWindow.objects.filter(key__in=[one.key for one in ended]).count() == 0
    assert RateWindow.objects.count() == 2


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_the_table_is_unlogged(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'clients_ratewindow'")
        assert cursor.fetchone() == ("u",)


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_what_is_used_up_is_refused_without_asking(db, django_assert_num_queries):
    store, limit = PostgreSQL(), of(1)
    with django_assert_num_queries(1):
        store.spend(limit, None)
    with django_assert_num_queries(2):
        assert not store.spend(limit, None).accepted
    with django_assert_num_queries(0):
        assert not store.spend(limit, None).accepted
        assert not store.spend(of(1), limit).accepted


# --- Redis ---


def test_the_window_in_redis_ends_by_itself():
    store, limit = redis_store(), of(1)
    assert store.spend(limit, None).accepted
    assert not store.spend(limit, None).accepted
    assert 59_000 < store._redis.pttl(_PREFIX + limit.key) <= 60_000
    store._redis.pexpire(_PREFIX + limit.key, 0)
    assert store.spend(limit, None).accepted
    assert 59_000 < store._redis.pttl(_PREFIX + limit.key) <= 60_000


def test_without_redis_each_process_counts(monkeypatch, caplog):
    """Nobody is refused for Redis's sake, and it is not asked at every call."""
    store, limit = Redis("redis://127.0.0.1:1/0"), of(2)
    asked = []

    def answer(**given: Any) -> Any:
        asked.append(given)
        raise redis.ConnectionError("secret address")

    monkeypatch.setattr(store, "_script", answer)
    now = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr("clients.rates.redis.time", now)
    assert [store.spend(limit, None).accepted for _ in range(3)] == [True, True, False]
    assert len(asked) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "Redis does not count calls, each process does: ConnectionError"
    ]
    now.monotonic = lambda: 1005.0
    assert not store.spend(limit, None).accepted
    assert len(asked) == 2


@pytest.fixture
def chosen(settings: Any) -> Iterator[Callable[..., str]]:
    def choose(**values: Any) -> str:
        for name, value in values.items():
            setattr(settings, name, value)
        rates.forget()
        return type(rates._store(connection.vendor, settings.REDIS_URL)).__name__

    yield choose
    rates.forget()


def test_which_store_counts(chosen, db):
    usual = "PostgreSQL" if connection.vendor == "postgresql" else "Memory"
    assert chosen() == usual
    assert chosen(WEB_WORKERS=1) == usual
    assert chosen(WEB_WORKERS=2) == ("PostgreSQL" if connection.vendor == "postgresql" else "Mapped")
    assert chosen(REDIS_URL="redis://127.0.0.1:1/0") == "Redis"


def test_first_calls_at_once_make_one_store(monkeypatch, settings, transactional_db):
    """A second store would forget what the first has counted."""
    made = []
    settings.WEB_WORKERS, settings.REDIS_URL = 1, ""
    kind = "postgresql.PostgreSQL" if connection.vendor == "postgresql" else "memory.Memory"
    store = PostgreSQL() if connection.vendor == "postgresql" else Memory()

    def make_slowly() -> Any:
        made.append(1)
        together.wait(0.2)  # others would come by now
        return store

    together = threading.Event()
    monkeypatch.setattr(f"clients.rates.{kind}", make_slowly)
    rates.forget()
    limit = of(5)

    def call(_: int) -> bool:
        accepted = rates.spend(limit).accepted
        connections.close_all()
        return accepted

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(call, range(8))) == {True: 5, False: 3}
    assert len(made) == 1


# --- whom a count is of ---


@pytest.mark.parametrize(("given", "counted"), [
    ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unknown", "unknown"), ("x" * 900, "x" * 64),
])  # fmt: skip
def test_addresses(given, counted):
    assert rates.address(given) == counted


@pytest.mark.parametrize("given", [
    {}, {"rate_limits": None}, {"rate_limits": [1]}, {"rate_limits": {"messages": "5"}},
    {"rate_limits": {"messages": True}},
    {"rate_limits": {"messages": 0}}, {"rate_limits": {"messages": -1}}, {"rate_limits": {"messages": 10**10}},
    {"rate_limits": {"guesses": 5}},
])  # fmt: skip
def test_what_is_no_limit_is_passed_over(given):
    assert rates.limits_of(given) == ()


def test_a_clients_own_limit(settings):
    own = rates.limits_of({"rate_limits": {"messages": 7, "users": 8, "x": 1}})
    assert own == (("messages", 7), ("users", 8))
    assert [rates.most(name, own) for name in ("messages", "users")] == [7, 8]
    assert rates.most("uploads", own) == settings.RATE_LIMITS["uploads"]
