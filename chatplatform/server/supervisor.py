"""Runs the server and a worker as one: its arguments are their commands as JSON.

It imports nothing but the standard library, so that it costs little beside what it watches.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from .ties import tie_to

GRACE = 40.0  # seconds that both may take to end: each drains for 30
_LEAD = 3.0  # seconds that the server has the machine to itself: it answers sooner, and nothing waits for a worker
_PATIENCE = 10.0  # seconds: a worker that lived as long is no crash loop
_LONGEST_PAUSE = 30.0  # seconds before a worker that keeps dying is started again


class Supervisor:
    def __init__(self, server: list[str], worker: list[str]) -> None:
        self.commands = {"server": server, "worker": worker}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.code: int | None = None  # once it ends
        self._deadline = 0.0
        self._pause, self._began, self._next = 0.5, 0.0, 0.0

    def run(self) -> int:
        """Until SIGTERM, SIGINT or SIGHUP, or the server ends; its exit code."""
        wait = _signals()
        self._start("server")
        self._next = time.monotonic() + _LEAD
        while self.running or self.code is None:
            if {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} & wait(self._seconds()):
                self._end(0)
            self._look()
        return self.code

    def _look(self) -> None:
        now = time.monotonic()
        for name, child in list(self.running.items()):
            if child.poll() is not None:
                del self.running[name]
                self._ended(name, child.returncode, now)
        if self.code is None and "worker" not in self.running and now >= self._next:
            self._start("worker")
        if self.code is not None and now >= self._deadline:
            for name, child in self.running.items():
                _say(f"the {name} did not end in {GRACE:.0f} s and is killed")
                child.kill()

    def _ended(self, name: str, code: int, now: float) -> None:
        code = code if code >= 0 else 128 - code
        if name == "server":
            if self.code is None:
                _say(f"the server ended by itself ({code})")
            self.code = max(self.code or 0, code)
            self._end(self.code)
        elif self.code is None:
            self._pause = 1.0 if now - self._began > _PATIENCE else min(self._pause * 2, _LONGEST_PAUSE)
            self._next = now + self._pause
            _say(f"the worker died ({code}); another begins in {self._pause:.0f} s")

    def _end(self, code: int) -> None:
        """Both finish what they do."""
        if self.code is None:
            self.code = code
        self._deadline = self._deadline or time.monotonic() + GRACE
        for child in self.running.values():
            child.terminate()

    def _start(self, name: str) -> None:
        self.running[name] = subprocess.Popen(self.commands[name], preexec_fn=tie_to(os.getpid()))  # noqa: S603
        if name == "worker":
            self._began = time.monotonic()

    def _seconds(self) -> float | None:
        """Until it must look though nothing happened."""
        now = time.monotonic()
        if self.code is not None:
            return max(self._deadline - now, 0.1)
        return None if "worker" in self.running else max(self._next - now, 0)


def _signals() -> Callable[[float | None], set[int]]:
    """A function that waits (seconds) for signals or a child's end, and says which came."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # the number goes through the pipe
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float | None) -> set[int]:
        ready, _, _ = select.select([reader], [], [], seconds)
        return set(os.read(reader, 4096)) if ready else set()

    return wait


def _say(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} supervisor: {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(Supervisor(json.loads(sys.argv[1]), json.loads(sys.argv[2])).run())
