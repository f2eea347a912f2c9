"""How a command names a client, and a contact of theirs."""

from uuid import UUID

from django.core.management.base import CommandError

from clients.models import Client, Contact


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


def contact_named(client: Client, contact_id: str) -> Contact:
    """By the client's own id for them; exit code 2 where there is none."""
    known: Contact | None = Contact.objects.for_client(client.pk).present().filter(contact_id=contact_id).first()
    if known is None:
        raise CommandError(f"{client.name} has no contact with the id {contact_id!r}.", returncode=2)
    return known
