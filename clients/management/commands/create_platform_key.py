from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clients.actions import create_platform_key
from messaging.management.clients import client_named


class Command(BaseCommand):
    help = "Makes a public key of a client for the platform API and prints it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client", help="the client's id or exact name")
        parser.add_argument("--name", default="", help="what the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if len(name) > 255 or not (name == "" or name.isprintable()):
            raise CommandError("A name has at most 255 printable characters.")
        self.stdout.write(create_platform_key(client=client_named(options["client"]), name=name).key)
