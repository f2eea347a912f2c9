"""`make serve` and what the production server does with requests that are out of the ordinary."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.conf import settings
from django.db import connection

from clients.credentials import issue_tokens
from conftest import database_environment
from conversations.models import Conversation

ROOT = Path(settings.BASE_DIR)
CHAT = {"session_name": "ses_acme", "name": "Pedido 12"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., "Made"]]:
    """`make serve` as a person types it, with nothing in the environment but what is said here."""
    started: list[Made] = []

    def start(folder: Path = ROOT, **environment: str) -> Made:
        made = Made(folder, environment, tmp_path / f"make{len(started)}.log")
        started.append(made)
        return made

    yield start
    for made in started:
        made.end()


class Made:
    def __init__(self, folder: Path, environment: dict[str, str], log: Path) -> None:
        ours = ("DATABASE_URL", "DATA_DIR", "SECRET_KEY", "DEMO", "HOST", "PORT", "LOG_LEVEL", "WEB_WORKERS", "WORKER")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        self.log, self.began = log, time.monotonic()
        with log.open("w") as output:
            self.process = subprocess.Popen(
                ["make", "serve"], cwd=folder, env={**kept, **environment}, stdout=output, stderr=output
            )

    def wait_until_ready(self, url: str, within: float) -> float:
        """Seconds from typing to the first 200 of /readyz."""
        while time.monotonic() - self.began < within:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if requests.get(f"{url}/readyz", timeout=5).status_code == 200:
                    return time.monotonic() - self.began
            except requests.ConnectionError:
                time.sleep(0.02)
        raise TimeoutError(self.log.read_text())

    def server(self) -> psutil.Process:
        [child] = psutil.Process(self.process.pid).children()
        return child

    def end(self) -> None:
        if self.process.poll() is None:
            for process in [*psutil.Process(self.process.pid).children(recursive=True), self.process]:
                process.kill()
        self.process.wait(10)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR that several tests use: collecting the admin's static files takes seconds."""
    return tmp_path_factory.mktemp("serve") / "data"


def test_make_serve_prepares_serves_and_ends(make: Any, data: Path) -> None:
    """An empty DATA_DIR the first time; the second start finds everything there."""
    shutil.rmtree(data, ignore_errors=True)
    port = free_port()
    environment = {"PORT": str(port), "DATA_DIR": str(data), "DEMO": "0"}
    url = f"http://127.0.0.1:{port}"

    first = make(**environment)
    first.wait_until_ready(url, within=60)
    assert {"db.sqlite3", "secret_key", "static"} <= {path.name for path in data.iterdir()}
    assert (data / "secret_key").stat().st_mode & 0o777 == 0o600
    assert requests.get(f"{url}/admin/login/", timeout=10).status_code == 200
    said = first.log.read_text()
    assert f"{url}/admin/" in said
    assert "create_client" in said  # nobody can log in yet: this is how
    workers = first.server().children(recursive=True)
    first.server().send_signal(signal.SIGTERM)
    assert first.process.wait(20) == 0
    assert psutil.wait_procs(workers, timeout=5)[1] == []
    assert "Traceback" not in first.log.read_text()

    second = make(**environment)
    second.wait_until_ready(url, within=60)
    assert "Preparing" not in second.log.read_text()
    assert "Collecting" not in second.log.read_text()
    second.server().send_signal(signal.SIGINT)  # Ctrl-C
    assert second.process.wait(20) == 0
    assert "Traceback" not in second.log.read_text()


def test_make_serve_on_a_port_in_use_says_so(make: Any, tmp_path: Path, live_server_url: str) -> None:
    port = live_server_url.rpartition(":")[2]
    refused = make(PORT=port, DATA_DIR=str(tmp_path / "data"), DEMO="0")
    assert refused.process.wait(30) != 0
    said = refused.log.read_text()
    assert f"Cannot serve at 127.0.0.1:{port}" in said
    assert "Traceback" not in said


def test_host_and_database_url_are_honoured(make: Any, data: Path, transactional_db: None, acme: Any) -> None:
    """On the test's own database, at another address of this machine."""
    port = free_port()
    for file in data.glob("db.sqlite3*"):
        file.unlink()
    environment = {**database_environment(), "DATA_DIR": str(data), "DEMO": "0", "WORKER": "0"}
    served = make(HOST="127.0.0.2", PORT=str(port), **environment)
    served.wait_until_ready(f"http://127.0.0.2:{port}", within=60)
    answer = requests.post(f"http://127.0.0.2:{port}/api/chat/create", json=CHAT, timeout=10)
    assert answer.json()["record"]["id"] == str(Conversation.objects.get().uuid)
    assert not (data / "db.sqlite3").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
    workers = [child for child in served.server().children() if "tracker" not in " ".join(child.cmdline())]
    assert len(workers) == (1 if connection.vendor == "sqlite" else os.cpu_count())
    served.server().terminate()
    assert served.process.wait(20) == 0


def test_a_malformed_setting_is_told_at_once(make: Any, tmp_path: Path) -> None:
    served = make(PORT=str(free_port()), DATA_DIR=str(tmp_path), WEB_WORKERS="many")
    assert served.process.wait(30) != 0
    assert "WEB_WORKERS" in served.log.read_text()


@pytest.mark.long
def test_make_serve_on_a_fresh_clone(make: Any, tmp_path: Path) -> None:
    """Nothing but Python, pip and make; the second start finds everything there. docs/bench.md has the seconds."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    clone, port = tmp_path / "clone", free_port()
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    url = f"http://127.0.0.1:{port}"
    first = make(clone, PORT=str(port))
    first.wait_until_ready(url, within=600)
    assert "password" in first.log.read_text().lower()  # the demonstration's log-ins
    first.server().terminate()
    first.process.wait(20)
    second = make(clone, PORT=str(port))
    second.wait_until_ready(url, within=60)
    assert "Installing" not in second.log.read_text()


@pytest.mark.long
def test_the_environment_is_made_without_ensurepip_too(tmp_path: Path) -> None:
    """As on a Debian without python3-venv: `python -m venv` fails, pip installs from outside."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").write_text("")
    python = tmp_path / "python-without-ensurepip"
    python.write_text(
        "#!/bin/sh\n"
        'if [ "$*" = "-m venv .venv" ]; then\n'
        '    mkdir -p .venv/bin; ln -sf "$(command -v python3)" .venv/bin/python; exit 1\n'
        "fi\n"
        'exec python3 "$@"\n'
    )
    python.chmod(0o755)
    done = subprocess.run(
        ["make", f"PYTHON={python}", ".venv/installed"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    prefix = subprocess.run(
        [".venv/bin/python", "-c", "import sys; print(sys.prefix)"], cwd=tmp_path, capture_output=True, text=True
    )  # fmt: skip
    assert prefix.stdout.strip() == str(tmp_path / ".venv")


def test_make_test_says_how_many_ran_and_that_postgresql_was_skipped(tmp_path: Path) -> None:
    environment = {
        **os.environ, "TEST_POSTGRES_URL": "postgres://postgres@127.0.0.1:1/postgres", "REQUIRE_POSTGRES": "0",
        "PYTEST_WORKERS": "0", "PYTEST_ARGS": "--rootdir . chatplatform/tests/test_sqlite_lock.py -k what_may_write",
    }  # fmt: skip
    done = subprocess.run([".ci/test", "not long"], cwd=ROOT, env=environment, capture_output=True, text=True)
    sqlite, postgres = done.stdout.strip().splitlines()[-2:]
    assert re.fullmatch(r"SQLite: +1 passed, \d+ deselected in .*s *", sqlite)
    assert postgres.startswith("PostgreSQL: skipped, none answers at TEST_POSTGRES_URL")
    assert done.returncode == 0
    environment["REQUIRE_POSTGRES"] = "1"
    again = subprocess.run([".ci/test", "not long"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert again.returncode == 1


# --- requests out of the ordinary ---


def exchange(url: str, *chunks: bytes) -> tuple[int, dict[str, Any]]:
    """Sends raw bytes; the status and JSON body of the answer."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        for chunk in chunks:
            line.sendall(chunk)
        answer = b""
        while received := line.recv(65536):
            answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(re.findall(rb"[0-9a-fA-F]+\r\n(.*?)\r\n", body, re.DOTALL))
    return int(head.split()[1]), json.loads(body)


def head(path: str, *lines: str) -> bytes:
    text = "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""])
    return text.encode()


def chunked(body: bytes, size: int = 7) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


JSON = "Content-Type: application/json"


def test_a_chunked_body_is_read(live_server_url: str, acme: Any) -> None:
    status, body = exchange(
        live_server_url,
        head("/api/chat/create", JSON, "Transfer-Encoding: chunked"),
        chunked(json.dumps({**CHAT, "name": "Señal 📦"}).encode()),
    )
    assert (status, body["record"]["name"]) == (200, "Señal 📦")


def test_bodies_over_the_limit_are_413_in_the_dialects_words(live_server_url: str, acme: Any) -> None:
    large = json.dumps({**CHAT, "name": "x" * 1024 * 1024}).encode()
    told = (413, {"error": "Payload too large", "details": "The body is larger than 1 MiB."})
    create = "/api/chat/create"
    assert exchange(live_server_url, head(create, JSON, f"Content-Length: {len(large)}"), large) == told
    assert exchange(live_server_url, head(create, JSON, "Transfer-Encoding: chunked"), chunked(large, 60_000)) == told
    endless = json.dumps({**CHAT, "name": "x" * 5 * 1024 * 1024}).encode()
    assert exchange(live_server_url, head(create, JSON, "Transfer-Encoding: chunked"), chunked(endless, 60_000)) == told

    bearer = f"Authorization: Bearer {issue_tokens(acme.users[0].user).access}"
    status, body = exchange(
        live_server_url, head("/chat/conversations", JSON, bearer, f"Content-Length: {len(large)}"), large
    )
    assert (status, body["success"], sorted(body)) == (413, False, ["message", "success"])
    status, body = exchange(live_server_url, head("/api/auth/token", JSON, f"Content-Length: {len(large)}"), large)
    assert (status, sorted(body)) == (413, ["detail"])
    assert not Conversation.objects.exists()


def test_a_body_of_exactly_the_limit_is_read(live_server_url: str, acme: Any) -> None:
    body = json.dumps(CHAT).encode()
    body += b" " * (settings.BODY_LIMIT - len(body))
    assert exchange(live_server_url, head("/api/chat/create", JSON, f"Content-Length: {len(body)}"), body)[0] == 200


def test_a_content_length_that_lies_writes_nothing_and_harms_nobody(live_server_url: str, acme: Any) -> None:
    body = json.dumps(CHAT).encode()
    host, port = live_server_url.removeprefix("http://").split(":")
    for claimed in (len(body) + 500, 10**15, 10**30):
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(head("/api/chat/create", JSON, f"Content-Length: {claimed}") + body)
            line.shutdown(socket.SHUT_WR)  # what was promised never comes
            answer = line.recv(65536)
        assert not answer.startswith(b"HTTP/1.1 5"), answer
        assert not answer.startswith(b"HTTP/1.1 2"), answer
    assert not Conversation.objects.exists()
    # Shorter than what follows: the rest is not this request's.
    status, _ = exchange(live_server_url, head("/api/chat/create", JSON, f"Content-Length: {len(body)}"), body + b"{}")
    assert status == 200
    assert Conversation.objects.count() == 1
    assert requests.get(f"{live_server_url}/readyz", timeout=5).status_code == 200
