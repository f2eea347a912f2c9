"""contracts/README.md, `Idempotency-Key`, from inside: one transaction for key, write and answer."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, transaction

from chatplatform.db.alone import Busy, alone
from chatplatform.db.sqlite3.numbered import NumberedLocks
from chatplatform.errors import Forbidden, KeyInUse, KeyReused
from clients import idempotency
from clients.idempotency import Answer, answer_once, delete_expired
from clients.models import Contact, IdempotencyKey

START = datetime(2027, 3, 1, 12, tzinfo=UTC)


def write(tenant, name="Ana", *, key="k1", caller="user:1", fingerprint="f"):
    """A contact, and the answer that says so."""

    def act():
        row = Contact.objects.create(client=tenant.client, contact_id=name)
        return Answer(201, f"made {row.pk}".encode())

    return answer_once(caller=caller, key=key, fingerprint=fingerprint, transaction=transaction.atomic(), act=act)


def made():
    return set(Contact.objects.exclude(contact_id="contact_1").values_list("contact_id", flat=True))


def test_a_second_request_gets_the_first_answer(acme):
    first = write(acme)
    assert write(acme, "Bea") == first
    assert made() == {"Ana"}
    [row] = IdempotencyKey.objects.all()
    assert (row.status, bytes(row.body)) == (201, first.body)


def test_keys_and_callers_are_apart(acme):
    answers = [write(acme), write(acme, "Bea", key="k2"), write(acme, "Cid", caller="token:1")]
    assert len({answer.body for answer in answers}) == 3
    assert made() == {"Ana", "Bea", "Cid"}


def test_another_request_with_the_key_is_refused(acme):
    write(acme)
    with pytest.raises(KeyReused):
        write(acme, "Bea", fingerprint="g")
    assert made() == {"Ana"}


def test_an_error_leaves_nothing(acme):
    def act():
        Contact.objects.create(client=acme.client, contact_id="Ana")
        raise Forbidden("No")

    with pytest.raises(Forbidden):
        answer_once(caller="user:1", key="k1", fingerprint="f", transaction=transaction.atomic(), act=act)
    assert made() == set()
    assert not IdempotencyKey.objects.exists()
    write(acme, fingerprint="g")  # the key is as good as new
    assert made() == {"Ana"}


def test_after_a_day_the_key_is_new(acme):
    with time_machine.travel(START, tick=False) as clock:
        first = write(acme)
        clock.shift(timedelta(hours=24, microseconds=-1))
        assert write(acme, "Bea") == first
        clock.shift(timedelta(microseconds=1))
        second = write(acme, "Bea", fingerprint="g")
        assert second != first
        assert write(acme, "Cid", fingerprint="g") == second
    assert made() == {"Ana", "Bea"}
    assert IdempotencyKey.objects.count() == 1


def test_expired_answers_go_a_few_at_a_time(acme, monkeypatch):
    """The stored answers hold what customers wrote; each new one takes older ones along."""
    monkeypatch.setattr(idempotency, "_BATCH", 3)
    with time_machine.travel(START, tick=False) as clock:
        for number in range(5):
            write(acme, f"old {number}", key=f"old {number}")
            clock.shift(timedelta(seconds=1))
        clock.shift(timedelta(hours=24))
        write(acme, "new", key="new 1")
        assert IdempotencyKey.objects.count() == 5 - 3 + 1
        assert delete_expired(1) == 1
        assert delete_expired(10) == 1
        assert delete_expired(10) == 0
    assert IdempotencyKey.objects.count() == 1


def in_threads(*works):
    """Runs them at once, each with a connection of its own; what they raise is a result too."""
    results = [None] * len(works)

    def run(number, work):
        try:
            results[number] = work()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_while_the_first_runs_others_are_refused_at_once(transactional_db, acme):
    """while the first is still running the others get 409; other keys are none of its business"""
    running, done = threading.Event(), threading.Event()

    def act():
        Contact.objects.create(client=acme.client, contact_id="Ana")
        running.set()
        assert done.wait(20)
        return Answer(201, b"made")

    def first():
        return answer_once(caller="user:1", key="k1", fingerprint="f", transaction=transaction.atomic(), act=act)

    def others():
        assert running.wait(20)
        try:
            with pytest.raises(KeyInUse):
                write(acme)
            if connection.vendor == "postgresql":  # SQLite has one writer at a time
                write(acme, "Bea", key="k2")
        finally:
            done.set()

    answer, nothing = in_threads(first, others)
    assert (answer, nothing) == (Answer(201, b"made"), None)
    assert write(acme) == answer
    assert made() <= {"Ana", "Bea"}


def test_one_of_many_at_once(transactional_db, acme):
    """One write; each of the others gets its answer or is told that it runs."""
    barrier = threading.Barrier(16, timeout=20)

    def work():
        barrier.wait()
        return write(acme)

    results = in_threads(*[work] * 16)
    answers = {result for result in results if isinstance(result, Answer)}
    assert len(answers) == 1
    assert {type(result) for result in results} <= {Answer, KeyInUse}
    assert made() == {"Ana"}
    assert {write(acme)} == answers


def test_a_failed_transaction_frees_its_number(transactional_db):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), alone(2**62 - 1, transaction.atomic()):
            raise ZeroDivisionError
    with alone(5, transaction.atomic()), alone(6, transaction.atomic()):
        pass


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has locks of its own")
def test_numbers_are_held_across_processes_and_freed_by_a_kill(transactional_db):
    """Another process holds a number until it is killed."""
    path = f"{connection.settings_dict['NAME']}.keys"
    program = f"""
from chatplatform.db.sqlite3.numbered import NumberedLocks
assert NumberedLocks({path!r}).acquire(77)
print("held", flush=True)
input()
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy), alone(77, transaction.atomic()):
            pass
        with alone(78, transaction.atomic()):
            pass
    finally:
        holder.kill()
        holder.wait(10)
    with alone(77, transaction.atomic()):
        pass


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has locks of its own")
def test_without_a_file_for_the_locks_the_database_is_away(db, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(NumberedLocks, "acquire", full)
    with pytest.raises(OperationalError), alone(5, transaction.atomic()):
        pass


def test_a_fork_holds_nothing(tmp_path):
    locks = NumberedLocks(str(tmp_path / "x.keys"))
    assert locks.acquire(1)
    assert not locks.acquire(1)
    assert locks.acquire(2)
    locks.release(2)
    locks.forget()  # as after a fork
    locks.release(1)
    in_memory = NumberedLocks(None)
    assert [in_memory.acquire(1), in_memory.acquire(1)] == [True, False]
    in_memory.release(1)
    assert in_memory.acquire(1)
