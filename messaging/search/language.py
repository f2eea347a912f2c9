"""Another language of search for a client: what is indexed by the rules of the last one is brought over."""

from django.db import transaction

from clients.actions import update_client
from clients.models import Client


@transaction.atomic
def change_language(client: Client, language: str) -> None:
    """What is sent from now on is indexed by it at once, what is there soon, by the worker."""
    from ..tasks import reindex_client

    update_client(client, search_language=language)
    reindex_client.enqueue(client.pk)
