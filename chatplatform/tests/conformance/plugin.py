"""What pytest does with `@pytest.mark.contract("rooms: a fragment of the row")`.

`--conformance-results=FOLDER` records which tests held which row and how they ended;
`--conformance-missing=CONTRACT` only lists the rows of a contract that no test holds.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from .contracts import NoSuchRow, find, rows
from .later import excused

#: Position of a row → the tests that name it, deselected ones included.
HELD = pytest.StashKey[dict[str, list[str]]]()
_WRONG = pytest.StashKey[list[str]]()
_SEVERITY = ("skipped", "passed", "failed")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contracts")
    group.addoption("--conformance-results", metavar="FOLDER", help="record which tests held which contract row")
    group.addoption("--conformance-missing", metavar="CONTRACT", help="only list the rows that no test holds")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.conformance_results and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(config.option.conformance_results)))


@pytest.hookimpl(tryfirst=True)  # before tests are deselected: a long test holds its rows too
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    held = config.stash.setdefault(HELD, {})
    for item in items if rows() else []:
        for mark in [mark for marker in item.iter_markers("contract") for mark in marker.args]:
            try:
                row = find(mark)
            except NoSuchRow as wrong:
                item.stash.setdefault(_WRONG, []).append(str(wrong))
            else:
                held.setdefault(row.position, []).append(item.nodeid)
                item.user_properties.append(("contract", row.position))
    if config.option.conformance_missing:
        _list_missing(config.option.conformance_missing, held)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.stash.get(_WRONG, None):
        pytest.fail("\n".join(item.stash[_WRONG]), pytrace=False)


def _list_missing(file: str, held: dict[str, list[str]]) -> None:
    if file not in {row.file for row in rows()}:
        pytest.exit(f"no contract {file!r}", returncode=2)
    missing = [row for row in rows() if row.file == file and row.position not in held.keys() | excused()]
    for row in missing:
        print(f"\n{row.position}\n    {row.text}")  # noqa: T201
    pytest.exit(f"{len(missing)} rows of {file} have no test", returncode=0)


class Recorder:
    """Writes FOLDER/<database>.json: {test: {"rows": [position], "outcome": …}}."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        held = [value for name, value in report.user_properties if name == "contract"]
        if held:
            test = self.tests.setdefault(report.nodeid, {"rows": held, "outcome": "skipped"})
            test["outcome"] = max(test["outcome"], report.outcome, key=_SEVERITY.index)

    def pytest_sessionfinish(self) -> None:
        from django.conf import settings

        name = "PostgreSQL" if "postgresql" in settings.DATABASES["default"]["ENGINE"] else "SQLite"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.json").write_text(json.dumps(self.tests))
