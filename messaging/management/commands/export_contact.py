import contextlib
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.exporting import export_contact
from messaging.management.clients import client_named, contact_named


class Command(BaseCommand):
    help = "Writes everything that is held about a contact to a ZIP of JSON and files (docs/retention.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client", help="the client's id or exact name")
        parser.add_argument("contact", help="the contact's id")
        parser.add_argument("--output", metavar="FILE", required=True, help="a file that is not there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        contact = contact_named(client_named(options["client"]), options["contact"])
        path = Path(options["output"])
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}") from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                made = export_contact(contact, file)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self.stdout.write(f"{path}: {made.conversations} conversations, {made.messages} messages, {made.files} files")
