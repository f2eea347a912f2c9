"""What was measured, as a table and as JSON."""

import json
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass
class Round:
    """One operation on one system for a few seconds."""

    number: int
    operation: str
    system: str
    rate: float
    p50: float
    p99: float
    server_cpu: float  # ms a request
    database_cpu: float | None
    errors: int
    first_error: str = ""

    @property
    def cpu(self) -> float:
        return self.server_cpu + (self.database_cpu or 0.0)


@dataclass
class Line:
    """The medians of all rounds."""

    operation: str
    system: str
    rate: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float | None
    queries: float
    errors: int

    @property
    def cpu(self) -> float:
        return self.server_cpu + (self.database_cpu or 0.0)


def lines(rounds: list[Round], queries: dict[str, float]) -> list[Line]:
    found = []
    for operation, system in dict.fromkeys((one.operation, one.system) for one in rounds):
        these = [one for one in rounds if (one.operation, one.system) == (operation, system)]
        database = [one.database_cpu for one in these if one.database_cpu is not None]
        found.append(Line(
            operation, system, median(one.rate for one in these), median(one.p50 for one in these),
            median(one.p99 for one in these), median(one.server_cpu for one in these),
            median(database) if database else None, queries[operation], sum(one.errors for one in these),
        ))  # fmt: skip
    return found


def ratios(rounds: list[Round]) -> dict[str, dict[str, float]]:
    """By operation the medians, over the rounds, of ours' CPU to bare's, and of bare's rate to ours'."""
    by = {(one.operation, one.number, one.system): one for one in rounds}
    pairs: dict[str, list[tuple[Round, Round]]] = {}
    for (operation, number, system), ours in by.items():
        bare = by.get((operation, number, "bare"))
        if system == "ours" and bare is not None and ours.rate and bare.rate:
            pairs.setdefault(operation, []).append((ours, bare))
    return {
        operation: {
            "cpu": median(ours.cpu / (bare.cpu or 1e-9) for ours, bare in of_it),
            "rate": median(bare.rate / ours.rate for ours, bare in of_it),
        }
        for operation, of_it in pairs.items()
    }


def table(found: list[Line], by_ratio: dict[str, dict[str, float]], names: dict[str, str]) -> str:
    head = (
        "operation",
        "system",
        "req/s",
        "p50 ms",
        "p99 ms",
        "CPU server",
        "CPU db",
        "queries",
        "errors",
        "ours/bare",
    )
    rows = [head]
    for line in found:
        ratio = by_ratio.get(line.operation) if line.system == "ours" else None
        rows.append((
            names[line.operation], line.system, f"{line.rate:,.0f}", f"{line.p50:.1f}", f"{line.p99:.1f}",
            f"{line.server_cpu:.2f}", "-" if line.database_cpu is None else f"{line.database_cpu:.2f}",
            f"{line.queries:.1f}", str(line.errors),
            f"CPU {ratio['cpu']:.2f} x, rate {ratio['rate']:.2f} x" if ratio else "",
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    text = [
        "  ".join(
            cell.ljust(width) if column in (0, 1, 9) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    text.insert(1, "-" * max(len(line) for line in text))
    note = "CPU: ms a request. ours/bare: CPU of ours to bare's, rate of bare to ours'; medians of the rounds."
    return "\n".join([*text, note])


def write(path: str, rounds: list[Round], found: list[Line], about: dict[str, Any]) -> None:
    content = {
        "about": about,
        "medians": [{**asdict(line), "cpu": line.cpu} for line in found],
        "ratios": ratios(rounds),
        "rounds": [asdict(one) for one in rounds],
    }
    with open(path, "w") as file:
        json.dump(content, file, indent=2)
