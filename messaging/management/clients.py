"""How a command names a client."""

from uuid import UUID

from django.core.management.base import CommandError

from clients.models import Client


def client_named(name: str) -> Client:
    """By the id that `create_client` prints, else by its exact name; exit code 2 where there is none."""
    try:
        known = Client.objects.filter(uuid=UUID(name)).first()
    except ValueError:
        known = None
    known = known or Client.objects.filter(name=name).first()
    if known is None:
        raise CommandError(f"No client has the id or the name {name!r}.", returncode=2)
    client: Client = known
    return client
