from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.erasure import erase_contact
from messaging.management.clients import client_named, contact_named


class Command(BaseCommand):
    help = "Erases what is held about a contact, for good (docs/retention.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client", help="the client's id or exact name")
        parser.add_argument("contact", help="the contact's id")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        contact = contact_named(client_named(options["client"]), options["contact"])
        if not options["yes"] and input(f"Erase {contact.contact_id}? It cannot be undone. [yes/no] ") != "yes":
            raise CommandError("Nothing was erased.", returncode=1)
        erase_contact(contact=contact)
        self.stdout.write("Erased.")
