"""The embedded database's turn to write: fair among threads and processes, and never left behind."""

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from chatplatform.db.sqlite3.base import _READS, DatabaseWrapper
from chatplatform.db.sqlite3.lock import WriteLock

ROOT = Path(settings.BASE_DIR)
#: A process's share of a test: `lock`, `wrapper(path)`, `say(word)` and `heard()` are at hand.
PRELUDE = """
import os, sys, time
sys.path.insert(0, {root!r})
os.environ.update(DJANGO_SETTINGS_MODULE="chatplatform.settings", DATABASE_URL="sqlite:///{path}", SECRET_KEY="x" * 50)
import django
django.setup()
from django.db import connection, transaction
from chatplatform.db.sqlite3.lock import WriteLock
lock = WriteLock("{path}.lock")
def say(word): print(word, flush=True)
def heard(): return sys.stdin.readline().strip()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "db.sqlite3")


@pytest.fixture
def database(path: str, django_db_blocker: Any) -> Iterator[Callable[[], DatabaseWrapper]]:
    """Connections to one new database, each as a thread of a server has one."""
    made: list[DatabaseWrapper] = []

    def connect() -> DatabaseWrapper:
        options = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        }
        values: dict[str, Any] = {
            "ENGINE": "chatplatform.db.sqlite3", "NAME": path, "OPTIONS": options, "TIME_ZONE": None,
            "AUTOCOMMIT": True, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False, "ATOMIC_REQUESTS": False,
        }  # fmt: skip
        wrapper = DatabaseWrapper(values, alias="default")
        wrapper.inc_thread_sharing()
        made.append(wrapper)
        return wrapper

    with django_db_blocker.unblock():
        with connect().cursor() as cursor:
            cursor.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
        yield connect
        for wrapper in made:
            if wrapper.connection is not None:
                wrapper.close()


@pytest.fixture
def process(path: str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(script: str) -> subprocess.Popen[str]:
        code = PRELUDE.format(root=str(ROOT), path=path) + script
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DATA_DIR": str(Path(path).parent)},
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def hear(child: subprocess.Popen[str], word: str) -> None:
    assert child.stdout is not None
    assert child.stdout.readline().strip() == word


def execute(wrapper: DatabaseWrapper, sql: str, *params: Any) -> list[Any]:
    with wrapper.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def write(wrapper: DatabaseWrapper, text: str) -> None:
    execute(wrapper, "INSERT INTO note (text) VALUES (%s)", text)


def notes(wrapper: DatabaseWrapper) -> list[str]:
    return [text for (text,) in execute(wrapper, "SELECT text FROM note ORDER BY id")]


def atomic(wrapper: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch, **options: Any) -> transaction.Atomic:
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: wrapper)
    return transaction.Atomic(using=None, savepoint=True, durable=options.get("durable", False))


def is_free(wrapper: DatabaseWrapper) -> bool:
    """Whether another process could write now."""
    lock = WriteLock(wrapper.write_lock._path)
    free = lock.acquire(0)
    if free:
        lock.release()
    lock.forget()
    return free


# --- the lock ---


def test_threads_are_served_in_the_order_of_asking(tmp_path: Path) -> None:
    lock = WriteLock(str(tmp_path / "db.lock"))
    served: list[int] = []

    def ask(number: int) -> None:
        assert lock.acquire(10)
        served.append(number)
        lock.release()

    lock.acquire(0)
    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for position, thread in enumerate(threads, start=2):
        thread.start()
        while len(lock._threads._queue) < position:
            time.sleep(0.0005)
    lock.release()
    for thread in threads:
        thread.join()
    assert served == list(range(8))


def test_a_thread_that_wants_it_again_at_once_goes_to_the_back(tmp_path: Path) -> None:
    lock = WriteLock(str(tmp_path / "db.lock"))
    stop = threading.Event()

    def hog() -> None:
        while not stop.is_set():
            lock.acquire(10)
            time.sleep(0.002)
            lock.release()

    hogs = [threading.Thread(target=hog) for _ in range(3)]
    for thread in hogs:
        thread.start()
    waits = []
    for _ in range(50):
        began = time.monotonic()
        assert lock.acquire(10)
        waits.append(time.monotonic() - began)
        lock.release()
    stop.set()
    for thread in hogs:
        thread.join()
    assert max(waits) < 1


def test_two_processes_that_hog_it_do_not_starve_a_third(tmp_path: Path, path: str, process: Any) -> None:
    hog = """
say("ready"); heard()
end = time.monotonic() + 60
while time.monotonic() < end:
    assert lock.acquire(30)
    time.sleep(0.003)
    lock.release()
"""
    hogs = [process(hog), process(hog)]
    for child in hogs:
        hear(child, "ready")
        child.stdin.write("go\n")
        child.stdin.flush()
    lock = WriteLock(f"{path}.lock")
    waits = []
    for _ in range(60):
        began = time.monotonic()
        assert lock.acquire(20)
        waits.append(time.monotonic() - began)
        lock.release()
    assert max(waits) < 1.5, waits


def test_a_timeout_is_kept_and_leaves_nothing_behind(tmp_path: Path) -> None:
    mine, other = (WriteLock(str(tmp_path / "db.lock")) for _ in range(2))
    assert mine.acquire(0)
    for lock in (mine, other):  # a thread of the same process, and as another process would
        began = time.monotonic()
        assert not lock.acquire(0.1)
        assert 0.1 <= time.monotonic() - began < 1
    mine.release()
    assert other.acquire(0)
    other.release()
    assert mine.acquire(0)
    mine.release()


def test_a_killed_process_leaves_it_free(path: str, process: Any) -> None:
    holder = process("assert lock.acquire(0); say('held'); heard()")
    hear(holder, "held")
    lock = WriteLock(f"{path}.lock")
    assert not lock.acquire(0)
    holder.kill()
    assert lock.acquire(5)
    lock.release()


def test_a_fork_neither_holds_nor_frees_what_its_parent_holds(path: str, process: Any) -> None:
    parent = process("""
assert lock.acquire(0)
child = os.fork()
if child == 0:
    lock.release()
    assert not lock.acquire(0)
    say("parent still holds it")
    heard()
    os._exit(0)
heard()
""")
    hear(parent, "parent still holds it")
    lock = WriteLock(f"{path}.lock")
    assert not lock.acquire(0)
    os.kill(parent.pid, signal.SIGKILL)  # the child lives on, with copies of its parent's descriptors
    assert lock.acquire(5)
    lock.release()


def test_a_fork_while_another_thread_holds_it_can_write_later(path: str, process: Any) -> None:
    parent = process("""
import threading
held, done = threading.Event(), threading.Event()
def hold():
    lock.acquire(0); held.set(); done.wait(); lock.release()
thread = threading.Thread(target=hold); thread.start(); held.wait()
if os.fork() == 0:
    say("asking")
    say("child wrote" if lock.acquire(10) else "child waits for ever")
    os._exit(0)
heard(); done.set(); thread.join(); os.wait()
""")
    hear(parent, "asking")
    parent.stdin.write("go\n")
    parent.stdin.flush()
    hear(parent, "child wrote")


# --- the database ---


def test_durability_settings_are_really_on(transactional_db: None) -> None:
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("settings of the embedded database")
    values = {name: execute(connection, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")}  # type: ignore[arg-type]
    assert values == {"journal_mode": "wal", "synchronous": 2}
    assert execute(connection, "PRAGMA secure_delete") == [(1,)]  # type: ignore[arg-type]
    assert execute(connection, "PRAGMA foreign_keys") == [(1,)]  # type: ignore[arg-type]


def test_erased_text_is_not_left_in_the_file(database: Any, path: str) -> None:
    wrapper = database()
    execute(wrapper, "PRAGMA secure_delete = ON")
    write(wrapper, "4111 1111 1111 1111")
    execute(wrapper, "DELETE FROM note")
    execute(wrapper, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"4111 1111" not in Path(path).read_bytes()


def test_a_transaction_holds_the_turn_from_begin_to_commit(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = database()
    with atomic(wrapper, monkeypatch):
        assert not is_free(wrapper)  # before the first write
        write(wrapper, "outer")
        with atomic(wrapper, monkeypatch):
            write(wrapper, "inner")
        assert not is_free(wrapper)
    assert is_free(wrapper)
    assert notes(wrapper) == ["outer", "inner"]


def test_a_rollback_and_an_exception_free_it(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = database()

    def interrupted() -> None:
        with atomic(wrapper, monkeypatch):
            write(wrapper, "lost")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert is_free(wrapper)
    with atomic(wrapper, monkeypatch):
        write(wrapper, "kept")
        with pytest.raises(IntegrityError), atomic(wrapper, monkeypatch):
            write(wrapper, "kept")
        assert not is_free(wrapper)
    assert is_free(wrapper)
    assert notes(wrapper) == ["kept"]


def test_a_commit_that_fails_frees_it(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = database()
    execute(wrapper, "CREATE TABLE child (note INTEGER REFERENCES note DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(IntegrityError), atomic(wrapper, monkeypatch):
        execute(wrapper, "INSERT INTO child VALUES (99)")
    assert is_free(wrapper)
    assert execute(wrapper, "SELECT * FROM child") == []
    write(wrapper, "after")


def test_a_connection_that_closes_inside_a_transaction_frees_it(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = database()
    with atomic(wrapper, monkeypatch):
        write(wrapper, "lost")
        wrapper.close()
    assert is_free(wrapper)
    assert notes(wrapper) == []


def test_a_thread_that_ends_inside_a_transaction_frees_it(database: Any) -> None:
    reader = database()

    def work() -> None:
        wrapper = DatabaseWrapper({**reader.settings_dict}, alias="default")
        wrapper.set_autocommit(False)
        write(wrapper, "lost")
        assert not is_free(wrapper)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    assert is_free(reader)
    assert notes(reader) == []


def test_single_statements_take_their_turn_and_give_it_back(database: Any) -> None:
    wrapper, other = database(), database()
    write(wrapper, "one")
    assert is_free(wrapper)
    execute(other, "BEGIN IMMEDIATE")
    assert not is_free(wrapper)
    wrapper.write_timeout = 0.05
    with pytest.raises(OperationalError, match="database is locked"):
        write(wrapper, "two")
    with wrapper.cursor() as cursor, pytest.raises(OperationalError, match="database is locked"):
        cursor.executemany("INSERT INTO note (text) VALUES (%s)", [["three"], ["four"]])
    assert notes(wrapper) == ["one"]  # reading waits for nobody
    execute(other, "COMMIT")
    assert is_free(wrapper)
    write(wrapper, "five")
    assert notes(wrapper) == ["one", "five"]


def test_without_autocommit_the_turn_lasts_until_the_commit(database: Any) -> None:
    wrapper = database()
    wrapper.set_autocommit(False)
    assert notes(wrapper) == []
    assert is_free(wrapper)
    write(wrapper, "one")
    assert not is_free(wrapper)
    wrapper.commit()
    assert is_free(wrapper)
    write(wrapper, "two")
    wrapper.rollback()
    assert is_free(wrapper)
    wrapper.set_autocommit(True)
    assert notes(wrapper) == ["one"]


def test_a_statement_that_fails_gives_the_turn_back(database: Any) -> None:
    wrapper = database()
    with pytest.raises(DatabaseError):
        execute(wrapper, "INSERT INTO nowhere VALUES (1)")
    assert is_free(wrapper)


def test_no_turn_in_time_is_an_operational_error_and_nothing_is_written(
    database: Any, monkeypatch: pytest.MonkeyPatch, process: Any
) -> None:
    holder = process("""
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("INSERT INTO note (text) VALUES ('theirs')")
    say("writing")
    heard()
say("committed")
""")
    hear(holder, "writing")
    wrapper = database()
    wrapper.write_timeout = 0.1
    with pytest.raises(OperationalError, match="database is locked"), atomic(wrapper, monkeypatch):
        write(wrapper, "never")
    assert notes(wrapper) == []
    assert not wrapper.in_atomic_block
    holder.stdin.write("go\n")
    holder.stdin.flush()
    hear(holder, "committed")
    write(wrapper, "mine")
    assert notes(wrapper) == ["theirs", "mine"]


def test_what_may_write_waits_and_what_reads_does_not() -> None:
    reads = ["SELECT 1", "  select 1", "\nEXPLAIN SELECT 1", "SAVEPOINT a", "RELEASE a", "PRAGMA foreign_keys = ON"]
    writes = [
        "INSERT INTO a", "UPDATE a", "DELETE FROM a", "REPLACE INTO a", "CREATE TABLE a", "DROP TABLE a", "VACUUM",
        "WITH b AS (SELECT 1) INSERT INTO a", "BEGIN IMMEDIATE", "BEGIN", "REINDEX", "ANALYZE", "SELECTED",
        "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode=DELETE", "/* note */ UPDATE a",
    ]  # fmt: skip
    assert [sql for sql in reads if not _READS.match(sql)] == []
    assert [sql for sql in writes if _READS.match(sql)] == []


def test_the_last_connection_checkpoints_under_the_lock(database: Any, path: str) -> None:
    wrapper, other = database(), database()
    write(wrapper, "one")
    other.ensure_connection()
    gc.collect()
    seen: list[bool] = []
    raw_close = DatabaseWrapper.__mro__[1]._close  # type: ignore[attr-defined]

    def close(self: Any) -> None:
        seen.append(not is_free(other))
        raw_close(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseWrapper.__mro__[1], "_close", close, raising=False)
        other.close()
        wrapper.close()
    assert seen == [True, True]
    assert is_free(wrapper)


def test_closing_does_not_wait_for_a_writer(database: Any) -> None:
    wrapper, other = database(), database()
    notes(wrapper)
    execute(other, "BEGIN IMMEDIATE")
    began = time.monotonic()
    wrapper.close()
    assert time.monotonic() - began < 1
    assert not is_free(other)
    execute(other, "ROLLBACK")


def test_processes_that_write_at_once_lose_nothing(path: str, process: Any) -> None:
    """Four processes meet at a file that does not exist yet, and write 50 rows each."""
    script = """
say("ready"); heard()
slowest = 0
for number in range(50):
    began = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)")
        cursor.execute("INSERT INTO note (text) VALUES (%s)", [f"{os.getpid()} {number}"])
    slowest = max(slowest, time.monotonic() - began)
say("slowest" if slowest > 3 else "done")
"""
    children = [process(script) for _ in range(4)]
    for child in children:
        hear(child, "ready")
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        hear(child, "done")
    rows = sqlite3.connect(path).execute("SELECT count(DISTINCT text), max(id) FROM note").fetchall()
    assert rows == [(200, 200)]
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("holder", ["a server", "another program"])
def test_a_deadline_holds_whoever_is_in_the_way(
    transactional_db: None, acme: Any, api: Any, settings: Any, holder: str
) -> None:
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("locks of the embedded database")
    settings.WHATSAPP_DEADLINE = 0.1
    path = str(connection.settings_dict["NAME"])
    lock, program = WriteLock(f"{path}.lock"), sqlite3.connect(path, isolation_level=None)
    if holder == "a server":
        assert lock.acquire(5)
    else:
        program.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    answer = api().post("/api/chat/create", {"session_name": "ses_acme"})
    assert time.monotonic() - began < 5
    assert (answer.status_code, answer.json()["error"]) == (408, "La solicitud fue cancelada")
    if holder == "a server":
        lock.release()
    program.close()
    lock.forget()
    assert api().post("/api/chat/create", {"session_name": "ses_acme"}).status_code == 200
    assert execute(connection, "SELECT count(*) FROM conversations_conversation") == [(1,)]  # type: ignore[arg-type]
    assert execute(connection, "PRAGMA busy_timeout") == [(20_000,)]  # type: ignore[arg-type]
