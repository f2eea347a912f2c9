import hashlib
import os
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

from clients.models import Client, User


class Command(BaseCommand):
    help = "Serves everything with the production server, until SIGTERM, then drains."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--no-prepare", action="store_true", help="serve as it is: no migrations, static files or demonstration"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = f"http://{options['host']}:{options['port']}"
        _ensure_free(options["host"], options["port"])
        if not options["no_prepare"]:
            self._migrate()
            self._static_files()
            self._demonstration(address)
            self._say_where(address)
        self.stdout.flush()
        connection.close()
        os.execv(sys.executable, [sys.executable, "-m", "granian", *server_options(options["host"], options["port"])])  # noqa: S606

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
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            marker.write_text(fingerprint)

    def _demonstration(self, address: str) -> None:
        embedded = connection.vendor == "sqlite"
        if embedded and os.environ.get("DEMO", "1") != "0" and not Client.objects.exists():
            call_command("create_demo", address=address, stdout=self.stdout)

    def _say_where(self, address: str) -> None:
        lines = [
            f"Admin     {address}/admin/",
            f"Health    {address}/healthz, {address}/readyz",
            f"Dialects  {address}/api/auth/…, {address}/api/chat/create, {address}/chat/…",
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


def server_options(host: str, port: int) -> list[str]:
    """SQLite: one process, whose threads write in turn. PostgreSQL: a process a core."""
    cores = os.cpu_count() or 1
    workers = settings.WEB_WORKERS or (1 if connection.vendor == "sqlite" else cores)
    return [
        "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(settings.WEB_THREADS),
        "--blocking-threads-idle-timeout", "600",  # a thread's database connection ends with it
        "--respawn-failed-workers", "--workers-kill-timeout", "30", "--log-level", "warning",
        "chatplatform.wsgi:application",
    ]  # fmt: skip


def _static_fingerprint() -> str:
    """Changes with any static file's path, size or time, and with the packages."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            digest.update(f"{path} {status.st_size} {int(status.st_mtime)}\n".encode())
    return digest.hexdigest()
