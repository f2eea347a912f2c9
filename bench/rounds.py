"""Runs each operation on each system in turn, in short slices, so that other work on the machine hits both."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import load
from bench.report import Round
from bench.servers import Server, database_cpu

SLICES = 4  # of a round; ours, bare, bare, ours, …
WARM_UP = 2.0  # seconds of each


@dataclass
class Sample:
    """What one system did with one operation in one round."""

    result: load.Result = field(default_factory=load.Result)
    server: float = 0.0  # CPU seconds
    database: float | None = 0.0

    def add(self, server: Server, requests: Sequence[bytes], clients: int, seconds: float) -> None:
        server_before, database_before = server.cpu(), database_cpu()
        result = load.drive(server.port, requests, clients=clients, seconds=seconds)
        self.server += server.cpu() - server_before
        database_after = database_cpu()
        if self.database is None or database_before is None or database_after is None:
            self.database = None
        else:
            self.database += database_after - database_before
        self.result.seconds += result.seconds
        self.result.latencies += result.latencies
        self.result.errors += result.errors

    def round(self, number: int, operation: str, system: str) -> Round:
        result, count = self.result, max(len(self.result.latencies), 1)
        return Round(
            number=number,
            operation=operation,
            system=system,
            rate=result.rate,
            p50=result.percentile(50),
            p99=result.percentile(99),
            server_cpu=self.server * 1000 / count,
            database_cpu=None if self.database is None else self.database * 1000 / count,
            errors=len(result.errors),
            first_error=result.errors[0] if result.errors else "",
        )


def run(
    servers: Sequence[Server], requests: dict[str, list[bytes]], *, rounds: int, clients: int, seconds: float
) -> tuple[list[Round], float]:
    """All rounds, and the part of a core that the load itself took."""
    for server in servers:
        for operation in requests:
            load.drive(server.port, requests[operation], clients=clients, seconds=min(WARM_UP, seconds))
    found = []
    began, cpu = time.perf_counter(), time.process_time()
    for number in range(rounds):
        for operation, all_of_them in requests.items():
            samples = {server.name: Sample() for server in servers}
            for part in range(SLICES):
                _progress(f"round {number + 1} of {rounds}: {operation}")
                turn = number * SLICES + part
                shift = turn * len(all_of_them) // (rounds * SLICES)
                these = all_of_them[shift:] + all_of_them[:shift]
                # Who begins changes: the first finds the rows cold, the second warm.
                for server in servers if turn % 2 == 0 else servers[::-1]:
                    samples[server.name].add(server, these, clients, seconds / SLICES)
            found += [sample.round(number, operation, name) for name, sample in samples.items()]
    _progress("")
    return found, (time.process_time() - cpu) / (time.perf_counter() - began)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text.ljust(60)}\r", end="", file=sys.stderr, flush=True)
