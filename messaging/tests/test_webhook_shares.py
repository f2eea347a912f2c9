"""What one endpoint or tenant may have of a worker: calls that were just begun, look-ups of names that hang."""

import asyncio
import socket
import threading
from typing import Any
from uuid import uuid4

import pytest

from messaging.tests.receiver import receiving
from messaging.webhooks import names
from messaging.webhooks.calling import Caller, Outcome
from messaging.webhooks.passes import Gates

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def begun(gates: Gates, endpoint: int, calls: int) -> int:
    """How many of so many calls begin while none of them is answered."""
    passes = [gates.enter(endpoint) for _ in range(calls)]
    tasks = [asyncio.create_task(one.take()) for one in passes]
    await asyncio.sleep(0)
    count = sum(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    for one in passes:
        one.give_back()
    return count


@pytest.mark.parametrize(("delivered", "at_a_time"), [(0, 3), (399, 3), (400, 4), (1599, 15), (5000, 16)])
def test_calls_that_were_just_begun_are_three_or_a_hundredth_of_what_was_delivered(
    delivered: int, at_a_time: int
) -> None:
    async def work() -> tuple[int, int]:
        gates = Gates()
        for _ in range(delivered):
            gates.took(1)
        return await begun(gates, 1, 20), await begun(gates, 2, 20)

    assert asyncio.run(work()) == (at_a_time, 3)


def test_a_gate_widens_while_others_wait_at_it() -> None:
    async def work() -> list[bool]:
        gates = Gates()
        waiting = [asyncio.create_task(gates.enter(1).take()) for _ in range(5)]
        await asyncio.sleep(0)
        for _ in range(400):
            gates.took(1)
        await asyncio.wait(waiting[:4])
        said = [task.done() for task in waiting]
        waiting[4].cancel()
        return said

    assert asyncio.run(work()) == [True, True, True, True, False]


def test_names_whose_look_up_hangs_are_their_own_tenants_affair(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """of a tenant's names one that hangs leaves room for the others"""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.WEBHOOK_TIMEOUT = 30.0
    ended, hanging = threading.Event(), threading.Semaphore(0)
    really, looked = socket.getaddrinfo, []

    def look(host: str, *given: Any, **how: Any) -> Any:
        looked.append(host)
        if host.startswith("hangs"):
            hanging.release()
            assert ended.wait(60)
        return really("127.0.0.1", *given, **how)

    monkeypatch.setattr(socket, "getaddrinfo", look)

    async def work(port: int) -> list[Outcome]:
        caller = Caller()

        def call(host: str, tenant: int) -> asyncio.Task[Outcome]:
            url = f"http://{host}.example.com:{port}/"
            return asyncio.create_task(caller.call(url, uuid4(), "{}", [SECRET], tenant))

        try:
            stuck = [call(f"hangs{n % 3}", 1) for n in range(100)]
            for _ in range(12):  # what the three names may have
                await asyncio.to_thread(hanging.acquire)
            own, other = await call("quick", 1), await call("quick", 2)
            more = [call(f"hangs{n}", 1) for n in range(3, 100)]
            for _ in range(4):  # the rest of what the tenant may have
                await asyncio.to_thread(hanging.acquire)
            last = await call("quick", 2)
            for task in (*stuck, *more):
                task.cancel()
            return [own, other, last]
        finally:
            ended.set()
            await caller.close()

    with receiving() as receiver:
        outcomes = asyncio.run(work(receiver.server_port))
    assert [one.status for one in outcomes] == [204] * 3
    assert sum(host.startswith("hangs") for host in looked) == 16
    assert looked.count("quick.example.com") == 3


def test_a_share_is_held_until_the_look_up_ends_whoever_gave_up_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, looked = threading.Event(), []

    def look(host: str, *given: Any, **how: Any) -> Any:
        looked.append(host)
        assert ended.wait(60)
        raise socket.gaierror(-2, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look)

    async def work() -> None:
        found = names.Names()
        given_up = [asyncio.create_task(found.find("a.example.com", 80, 1)) for _ in range(4)]
        while len(looked) < 4:
            await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        await asyncio.wait(given_up)
        waiting = asyncio.create_task(found.find("a.example.com", 80, 1))
        for _ in range(10):
            await asyncio.sleep(0)
        assert (len(looked), waiting.done()) == (4, False)
        ended.set()
        with pytest.raises(socket.gaierror):
            await waiting
        assert len(looked) == 5
        found.close()

    asyncio.run(work())
