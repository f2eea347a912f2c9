"""A new folder is all that a sixth dialect takes: every test of every call passes over it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from conftest import ROOT

QUICK = ["every_call", "openapi", "idempotency"]
MORE = ["every_input", "every_failure", "every_query", "hostile_bodies", "isolation"]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="runs on a SQLite database of its own")
@pytest.mark.parametrize(("tests", "least"), [(QUICK, 40), pytest.param(MORE, 70, marks=pytest.mark.long)], ids=str)
def test_a_sixth_dialect_passes_the_tests_of_every_call(tmp_path: Path, tests: list[str], least: int) -> None:
    assert connection.vendor == "sqlite"
    here = Path(__file__).parent
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DATABASE_URL"))}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "chatplatform.tests.sixth",
            "-k", "sixth or foreigner_gets_at_nothing", *(str(here / f"test_{name}.py") for name in tests),
        ],
        cwd=ROOT, env={**inherited, "DATA_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    counts = {what: int(number) for number, what in re.findall(r"(\d+) (\w+)", done.stdout.splitlines()[-1])}
    assert counts.get("failed", 0) == 0
    assert counts["passed"] >= least
