from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from clients.models import Client, User
from messaging.demo import english, indonesian, spanish
from messaging.demo.articles import import_articles
from messaging.demo.cast import Cast, make_cast
from messaging.demo.replay import replay

_FIRST_CALL = """\
curl -s {address}/api/chat/create -H 'Content-Type: application/json' \\
  -d '{{"session_name": "{session_id}", "name": "My first chat", "number_client": 12025550188}}'"""


class Command(BaseCommand):
    help = "Fills an empty database with a demonstration: an invented company and a week of its conversations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--address",
            default="http://127.0.0.1:8000",
            metavar="URL",
            help="of the server, for the call that it shows",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if Client.objects.exists() or User.objects.exclude(role="service").exists():
            raise CommandError("The demonstration is for an empty database only; this one has clients or users.")
        scripts = [*english.SCRIPTS, *spanish.SCRIPTS, *indonesian.SCRIPTS]
        self.stdout.write(f"Making the demonstration: {len(scripts)} conversations of one week")
        cast = make_cast()
        replay(scripts, cast, now=timezone.now())
        import_articles(cast.client)  # after the dialogues: their customers have their answers
        self.stdout.write(what_to_know(cast, options["address"]))


def what_to_know(cast: Cast, address: str) -> str:
    people = [
        ("Superuser", cast.superuser),
        *((new.user.get_role_display(), new) for new in cast.staff.values()),
        *(("End user", new) for new in cast.users.values()),
    ]
    rows = [(who, new.user.name, new.user.email, new.password) for who, new in people]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    rule = "-" * 78
    return "\n".join(
        [
            rule,
            f"Demonstration client: {cast.client.name}. These secrets are shown this once.",
            rule,
            *(
                f"{who:{widths[0]}}  {name:{widths[1]}}  {email:{widths[2]}}  {password}"
                for who, name, email, password in rows
            ),
            "",
            f"Session id  {cast.client.session_id}",
            f"API token   {cast.api_token.secret}",
            f"Public key  {cast.public_key.key}",
            "",
            "A first call, in another terminal (it opens a chat, which the admin then shows):",
            "",
            _FIRST_CALL.format(address=address, session_id=cast.client.session_id),
            rule,
        ]
    )
