"""The two servers, each a tree of processes of its own, and the CPU time that they and the database use."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from bench import load

ROOT = Path(__file__).resolve().parent.parent
#: Calls are counted, and nobody comes near the limit.
LIMITS = {"RATE_LIMITS": "users=1000000000"}
QUIET = {"LOG_LEVEL": "WARNING", "PYTHONWARNINGS": "ignore"}
WORKERS = str(os.cpu_count() or 2)


class Server:
    def __init__(self, name: str, command: list[str], port: int, **environment: str) -> None:
        self.name, self.port = name, port
        # A session of its own: Ctrl-C reaches only us, and we end the whole group.
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **QUIET, **LIMITS, **environment}, start_new_session=True
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended before it answered")
            try:
                if load.ask(self.port, load.request("GET", "/healthz", "-"))[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"{self.name} did not answer within 60 s")

    def cpu(self) -> float:
        """Seconds of the whole tree so far."""
        main = psutil.Process(self.process.pid)
        return _seconds([main, *main.children(recursive=True)])

    def stop(self) -> None:
        """Ends the parent, which ends its workers; then whatever is left of the group."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def ours(workers: str = "0", **environment: str) -> Server:
    """As many processes as the product would take by itself: one a core, on SQLite one."""
    port = _free_port()
    command = [sys.executable, "manage.py", "serve", "--no-prepare", "--port", str(port)]
    return Server("ours", command, port, WEB_WORKERS=workers, WORKER="0", **environment)


def bare(statements: str, workers: str = WORKERS, **environment: str) -> Server:
    port = _free_port()
    command = [
        sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port), "--workers", workers,
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    return Server(
        "bare", command, port, BENCH_STATEMENTS=statements, BENCH_JWT_KEY=settings.JWT_SIGNING_KEY, **environment
    )


def database_cpu() -> float | None:
    """Seconds of all that serves this database, but our own connection; None where it runs elsewhere."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        found = [pid for (pid,) in cursor.fetchall()]
    processes = []
    for pid in found:
        try:
            process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            return None
        if "postgres" not in process.name():
            return None
        processes.append(process)
    return _seconds(processes)


def _seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
