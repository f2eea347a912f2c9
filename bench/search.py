"""Search on the benchmark's data: each kind of words, as a client's staff and as an end user, both orders.

Milliseconds: of the statements that find the page, of the one that counts the total, of the processor (ours and
PostgreSQL's) for both, and over HTTP with one client at a time.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import psutil
from django.db import connection
from django.utils import timezone

from bench import load
from bench.texts import dialogues
from clients.callers import Caller, caller_of_user
from clients.credentials import issue_tokens
from clients.models import User
from messaging.search.messages import search
from messaging.search.query import parse
from messaging.search.text import words

PAGE = 20
HEAD = (
    f"{'':42} {'page':>15} {'total':>15} {'CPU':>15} {'HTTP':>15}\n"
    f"{'':42} {'p50':>7} {'p99':>7} {'p50':>7} {'p99':>7} {'ours':>7} {'db':>7} {'p50':>7} {'p99':>7} {'found':>7}"
)


@dataclass
class Times:
    page: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    database_cpu: float = 0.0
    http: list[float] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    def line(self, name: str) -> str:
        cpu = (statistics.median(self.cpu), self.database_cpu / len(self.cpu))
        figures = [*_tail(self.page), *_tail(self.total), *cpu, *_tail(self.http)]
        return f"{name:42} {' '.join(f'{one:7.1f}' for one in figures)} {statistics.median(self.totals):7,.0f}"


def _tail(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), sorted(times)[int(len(times) * 0.99)]


def queries(*, seed: int = 3, of_each: int = 50) -> dict[str, list[str]]:
    """Searches by their kind; how often a word occurs is counted in the texts that were filled in."""
    rng = random.Random(seed)
    lines = [words(text) for dialogue in dialogues()[0] for _by, text in dialogue.lines]
    counts = Counter(word for line in lines for word in set(line) if word.isalpha())
    common = [word for word, _count in counts.most_common(8)]
    middle = sorted(counts, key=lambda word: (abs(counts[word] - len(lines) / 50), word))[:of_each]
    long = [line for line in lines if len(line) > 4]
    old = f"{timezone.now() - timedelta(days=240):%Y-%m-%d}"

    def each(make: Callable[[], str]) -> list[str]:
        return [make() for _ in range(of_each)]

    def pair() -> str:
        line = rng.choice(long)
        place = rng.randrange(len(line) - 1)
        return f'"{line[place]} {line[place + 1]}"'

    rare = sorted(word for word, count in counts.items() if count == 1)
    return {
        "frequent word": each(lambda: rng.choice(common)),
        "word in 2 of 100": each(lambda: rng.choice(middle)),
        "rare word": each(lambda: rng.choice(rare)),
        "no such word": ["zirconiumoxide"] * of_each,
        "phrase": each(pair),
        "exclusion": each(lambda: f"{rng.choice(common[:4])} -{rng.choice(common[4:])} -{rng.choice(middle)}"),
        "from:agent, after:": each(lambda: f"{rng.choice(middle)} from:agent after:{old}"),
        "frequent word, before:": each(lambda: f"{rng.choice(common)} before:{old}"),
        "frequent word, channel of none": each(lambda: f"{rng.choice(common)} channel:fax"),
    }


def measure(start: Callable[[], Any], *, rounds: int) -> Iterator[str]:
    """`start()` starts a server. A line of the table for each kind of search."""
    staff = User.objects.filter(is_staff=True, client__isnull=False).order_by("pk")[0]
    owners = list(User.objects.filter(client=staff.client, is_staff=False).order_by("pk")[:25])
    scopes = {"a client's": [staff], "a user's": owners}
    searches, server = queries(), start()
    yield HEAD
    try:
        tokens = {user.pk: issue_tokens(user).access for user in [staff, *owners]}
        for scope, users in scopes.items():
            for kind, texts in searches.items():
                for order in ("newest", "rank"):
                    times, before = Times(), _database_cpu()
                    for number in range(rounds * len(texts)):
                        user, text = users[number % len(users)], texts[number % len(texts)]
                        one(times, caller_of_user(user, None), text, order == "rank")
                    times.database_cpu = _database_cpu() - before
                    for number in range(rounds * len(texts)):
                        user, text = users[number % len(users)], texts[number % len(texts)]
                        times.http.append(asked(server.port, tokens[user.pk], text, order))
                    yield times.line(f"{scope} {order}: {kind}")
    finally:
        server.stop()


def one(times: Times, caller: Caller, text: str, by_rank: bool) -> None:
    with _statements() as ran:
        ours = time.process_time()
        found = search(caller, parse(text), limit=PAGE, by_rank=by_rank)
        times.cpu.append((time.process_time() - ours) * 1000)
    times.page.append(sum(ran["page"]) * 1000)
    times.total.append(sum(ran["total"]) * 1000)
    times.totals.append(found.total)


def asked(port: int, token: str, text: str, order: str) -> float:
    request = load.request("GET", f"/chat/search?query={quote(text)}&limit={PAGE}&order={order}", token)
    began = time.perf_counter()
    status, body = load.ask(port, request)
    if status != 200:
        raise RuntimeError(f"{status} {body[:300]!r}")
    return (time.perf_counter() - began) * 1000


def _database_cpu() -> float:
    """Milliseconds so far of the server process behind our connection; 0 on SQLite, which runs within ours."""
    if connection.vendor == "sqlite":
        return 0.0
    spent = psutil.Process(connection.connection.info.backend_pid).cpu_times()
    return (spent.user + spent.system) * 1000


@contextmanager
def _statements() -> Iterator[dict[str, list[float]]]:
    """The seconds of each statement that runs."""
    ran: dict[str, list[float]] = {"page": [], "total": []}

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            ran["total" if sql.startswith("SELECT COUNT(") else "page"].append(time.perf_counter() - began)

    with connection.execute_wrapper(timed):
        yield ran
