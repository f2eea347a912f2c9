import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatplatform.db import textindex
from clients.models import Client
from messaging.actions.articles import reindex_articles
from messaging.management.clients import client_named
from messaging.models import Article


class Command(BaseCommand):
    help = "Indexes every article anew by what it says and counts the words anew, while the server runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", metavar="ID", help="one client only: its id or exact name")

    def handle(self, *args: Any, **options: Any) -> None:
        started, done = time.monotonic(), 0
        one = options["client"]
        for client in [client_named(one)] if one is not None else Client.objects.order_by("pk").iterator():
            done += reindex_articles(client)
        if not textindex.is_sound(Article, "search"):
            textindex.rebuild(Article, "search")
            self.stdout.write("The index differed from the articles: made anew.")
        self.stdout.write(f"{done:,} articles indexed anew; {time.monotonic() - started:.1f} s")
