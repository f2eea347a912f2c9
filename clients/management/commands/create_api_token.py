import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clients import tokens
from clients.actions import create_api_token
from messaging.management.clients import client_named


class Command(BaseCommand):
    help = "Makes a workspace API token of a client and shows its secret this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client", help="the client's id or exact name")
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--scopes", metavar="A,B", help=f"of {', '.join(tokens.SCOPES)} (default all)")
        parser.add_argument("--expires", metavar="TIME", help="when it ends, such as 2027-01-31T00:00:00Z")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not (1 <= len(name) <= 255 and name.isprintable()):
            raise CommandError("A name has 1 to 255 printable characters.")
        made = create_api_token(
            client=client_named(options["client"]),
            name=name,
            scopes=_scopes(options["scopes"]),
            expires_at=_time(options["expires"]),
        )
        if options["json"]:
            shown = {"name": name, "scopes": made.token.scopes, "api_token": made.secret}
            self.stdout.write(json.dumps(shown, ensure_ascii=False))
        else:
            self.stdout.write(f"API token {name}: {made.secret}\nIt is not shown again.")


def _scopes(given: str | None) -> list[str] | None:
    if given is None:
        return None
    scopes = [scope.strip() for scope in given.split(",")]
    if unknown := [scope for scope in scopes if scope not in tokens.SCOPES]:
        raise CommandError(f"No such scope: {', '.join(unknown)}")
    return scopes


def _time(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        time = parse_datetime(given)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or time <= timezone.now():
        raise CommandError("--expires takes a time to come with its zone, such as 2027-01-31T00:00:00Z.")
    return time
