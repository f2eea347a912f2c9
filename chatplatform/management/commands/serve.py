import hashlib
import json
import os
import resource
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chatplatform.dialects import discover
from chatplatform.server import scheduling, supervisor
from clients.models import Client, User

_CONNECTIONS = 10_000  # of one process


class Command(BaseCommand):
    help = "Serves everything with the production server, a worker beside it, until SIGTERM, then drains."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000)
        parser.add_argument(
            "--no-prepare", action="store_true", help="serve as it is: no migrations, static files or demonstration"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = f"http://{options['host']}:{options['port']}"
        _ensure_free(options["host"], options["port"])
        try:
            scheduling.ensure_known()
        except scheduling.NotKnown as error:
            raise CommandError(str(error)) from error
        if not options["no_prepare"]:
            self._migrate()
            self._static_files()
            self._demonstration(address)
            self._say_where(address)
            _ensure_free(options["host"], options["port"])  # another may have begun meanwhile
        if "PUBLIC_URL" not in os.environ:  # where it listens is good for mails; people may reach it elsewhere
            os.environ |= {"PUBLIC_URL": address, "FILES_OF_HOST": "1"}
        self.stdout.flush()
        connection.close()
        _allow_many_files()
        command = [sys.executable, "-m", "granian", *server_options(options["host"], options["port"])]
        if settings.WORKER:
            worker = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]
            command = [sys.executable, "-m", supervisor.__name__, json.dumps(command), json.dumps(worker)]
        os.execv(sys.executable, command)  # noqa: S606

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database")
            call_command("migrate", verbosity=0, interactive=False)

    def _static_files(self) -> None:
        """Collected again only when one has changed; the admin's many files take seconds."""
        marker = Path(settings.STATIC_ROOT) / ".fingerprint"
        fingerprint = _static_fingerprint()
        if not marker.exists() or marker.read_text() != fingerprint:
            self.stdout.write("Collecting static files")
            # Of the API pages' files those that no page of ours uses would take longest to compress.
            unused = ["redoc", "*.js.map"]
            call_command("collectstatic", verbosity=0, interactive=False, clear=True, ignore_patterns=unused)
            marker.write_text(fingerprint)

    def _demonstration(self, address: str) -> None:
        embedded = connection.vendor == "sqlite"
        if embedded and os.environ.get("DEMO", "1") != "0" and not Client.objects.exists():
            call_command("create_demo", address=address, stdout=self.stdout)

    def _say_where(self, address: str) -> None:
        lines = [
            f"Admin     {address}/admin/",
            f"Health    {address}/healthz, {address}/readyz",
            f"APIs      {address}/api/schema/docs: {', '.join(f'/{dialect.prefix}' for dialect in discover())}",
        ]
        if not User.objects.exclude(role="service").exists():
            lines.append("Nobody can log in yet: .venv/bin/python manage.py create_client NAME")
        else:
            lines.append("Log-ins were shown when they were made; manage.py changepassword EMAIL sets a new one.")
        self.stdout.write("\n".join(lines))


def _ensure_free(host: str, port: int) -> None:
    """The server's workers share their port, so a second server on it would silently get every other call."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"Cannot serve at {host}:{port} ({getattr(error, 'strerror', error)}). Another port: make serve PORT=8001"
        ) from error


def _allow_many_files() -> None:
    """A stream of events is an open file; systems allow 1,024 unless asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + 1000
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def server_options(host: str, port: int) -> list[str]:
    """SQLite: one process, whose threads write in turn. PostgreSQL: a process a core."""
    cores = os.cpu_count() or 1
    workers = settings.WEB_WORKERS or (1 if connection.vendor == "sqlite" else cores)
    return [
        "--interface", "asgi", "--runtime-mode", "st", "--loop", "asyncio", "--no-ws",
        "--host", host, "--port", str(port),
        "--workers", str(workers), "--backlog", "2048",
        "--backpressure", str(_CONNECTIONS),  # calls that wait for a thread and streams that stay are among them
        "--respawn-failed-workers", "--workers-kill-timeout", "30", "--log-level", "warning",
        "chatplatform.server.front:application",
    ]  # fmt: skip


def _static_fingerprint() -> str:
    """Changes with any static file's path, size or time, and with the packages."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            digest.update(f"{path} {status.st_size} {int(status.st_mtime)}\n".encode())
    return digest.hexdigest()
