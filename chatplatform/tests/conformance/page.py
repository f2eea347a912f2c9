"""Writes docs/conformance.md from recorded runs: `python -m chatplatform.tests.conformance.page FOLDER`."""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .contracts import ROOT, Row, find, rows
from .later import LATER, NOTHING_TO_TEST, Later

PAGE = ROOT / "docs" / "conformance.md"
_SHOWN = 3
_HEAD = """# Conformance

Every row of the contracts, the tests that hold it, and how they ended. Made by `make conformance`, not by hand.

A row is a row of a table, or a sentence of a bullet or a paragraph; here it has its place in its file and
how it begins. A test says what it holds:

```python
@pytest.mark.contract("rooms: a fragment of the row")
```

The fragment stands in exactly one row of that file (case, white space, `*` and backticks do not count),
else the test fails. `make conformance-missing FILE=rooms` lists the rows that no test holds yet. What later
issues build is named in `chatplatform/tests/conformance/later.py`; when it is built and has its test, its
line there goes, or the suite fails.
"""

Tests = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Line:
    """A row with what the runs found."""

    row: Row
    tests: list[str]
    kind: str  # held, failed, later, nothing, missing
    result: str

    @property
    def shown_tests(self) -> str:
        more = f", and {len(self.tests) - _SHOWN} more" if len(self.tests) > _SHOWN else ""
        return ", ".join(f"`{test}`" for test in self.tests[:_SHOWN]) + more


def lines(runs: dict[str, Tests]) -> list[Line]:
    """Every row; `runs` are the recorded tests of each database."""
    later = {find(entry.mark).position: entry for entry in LATER}
    nothing = {find(mark).position: why for mark, why in NOTHING_TO_TEST.items()}
    return [_line(row, runs, later.get(row.position), nothing.get(row.position)) for row in rows()]


def _line(row: Row, runs: dict[str, Tests], later: Later | None, nothing: str | None) -> Line:
    names: set[str] = set()
    ended: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}  # outcome → databases
    for database, tests in sorted(runs.items(), reverse=True):
        holding = {name: test["outcome"] for name, test in tests.items() if row.position in test["rows"]}
        names.update(map(short, holding))
        for outcome in set(holding.values()):
            ended[outcome].append(database)
    line = partial(Line, row, sorted(names))
    if ended["failed"]:
        return line("failed", f"FAILED ({', '.join(ended['failed'])})")
    if ended["passed"]:
        where = "" if len(ended["passed"]) == len(runs) else f" ({', '.join(ended['passed'])})"
        rest = f"; later: issue {later.issue} ({later.capability})" if later else ""
        return line("held", f"pass{where}{rest}")
    if later:
        return line("later", f"later: issue {later.issue} ({later.capability})")
    if nothing:
        return line("nothing", f"nothing to test: {nothing}")
    return line("missing", "NOT RUN" if names else "NO TEST")


def short(name: str) -> str:
    """`clients/tests/test_tokens.py::test_me[bearer]` → `test_tokens.py::test_me`"""
    path, _, test = name.partition("::")
    return f"{Path(path).name}::{test.partition('[')[0]}"


def page(runs: dict[str, Tests]) -> str:
    found = lines(runs)
    parts = [_HEAD, f"Databases of this run: {', '.join(sorted(runs, reverse=True))}.\n", _summary(found)]
    for file in _files(found):
        parts.append(f"## {file}.md\n\n| row | begins | tests | result |\n|---|---|---|---|")
        for line in found:
            if line.row.file == file:
                label = line.row.label.replace("|", r"\|")
                parts.append(f"| {line.row.position} | `{label}` | {line.shown_tests or '—'} | {line.result} |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _files(found: list[Line]) -> list[str]:
    return list(dict.fromkeys(line.row.file for line in found))


def _summary(found: list[Line]) -> str:
    text = "| contract | rows | pass | later | nothing to test | failed | no test |\n|---|---|---|---|---|---|---|\n"
    total: Counter[str] = Counter()
    for file in _files(found):
        kinds = Counter(line.kind for line in found if line.row.file == file)
        total += kinds
        text += _counts(f"[{file}](#{file.lower()}md)", kinds)
    return text + _counts("all", total)


def _counts(name: str, kinds: Counter[str]) -> str:
    figures = [kinds.total(), *(kinds[kind] for kind in ("held", "later", "nothing", "failed", "missing"))]
    return f"| {name} | {' | '.join(map(str, figures))} |\n"


def main(folder: str) -> int:
    if not rows():
        print("../shared is absent: docs/conformance.md stays as it is")  # noqa: T201
        return 1
    runs = {path.stem: json.loads(path.read_text()) for path in Path(folder).glob("*.json")}
    PAGE.write_text(page(runs))
    wrong = [line for line in lines(runs) if line.kind in ("failed", "missing")]
    for line in wrong:
        print(f"{line.row.position}: {line.result}")  # noqa: T201
    print(f"{PAGE.relative_to(ROOT)}: {len(rows())} rows, {len(wrong)} failed or without a test")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
