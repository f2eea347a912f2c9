"""Contacts: customers as the client knows them."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from chatplatform.errors import NotFound

from ..checks import check_columns, normal_email
from ..fields import merged
from ..models import Client, Contact, new_uuid
from .saving import save_unique, set_changed

#: What a person is recognised by, and how many former ones of it are kept: an erasure needs them.
_RECOGNISED = ("name", "phone", "email")
_FORMER = 100
_CHECKED = ("contact_id", "name", "phone", "email", "metadata")


def create_contact(
    *, client: Client, name: str = "", phone: str = "", contact_id: str | None = None, **columns: Any
) -> Contact:
    """Without an id of the client's own it gets one. Raises Invalid, Conflict (the id is taken)."""
    row = new_contact(client, contact_id or f"contact_{new_uuid().hex}", {"name": name, "phone": phone, **columns})
    save_unique(row, lambda: _taken(row), force_insert=True)
    return row


@transaction.atomic
def update_contact(*, contact: Contact, **changes: Any) -> Contact:
    """Changes name, phone, email and metadata (merged; a key given as None goes, None empties it all).

    Raises Invalid, NotFound where they are erased."""
    row = Contact.objects.select_for_update(no_key=True).filter(pk=contact.pk, erased_at=None).first()
    if row is None:
        raise NotFound("Contact")
    if changed := change_contact(row, changes):
        row.save(update_fields=changed)
    return row


def new_contact(client: Client, contact_id: str, values: dict[str, Any]) -> Contact:
    """Checked and not saved. Raises Invalid."""
    row = Contact(client=client, contact_id=contact_id, **values)
    row.email = normal_email(row.email)
    check_columns(row, _CHECKED)
    return row


def change_contact(row: Contact, changes: dict[str, Any]) -> list[str]:
    """Gives a row new values and answers the columns to save, none where all is as it was. Raises Invalid."""
    values = dict(changes)
    if "email" in values:
        values["email"] = normal_email(values["email"])
    if "metadata" in values:
        values["metadata"] = {} if values["metadata"] is None else merged(row.metadata, values["metadata"])
    before = recognised_by(row)
    changed = set_changed(row, values)
    check_columns(row, changed)
    return [*changed, *keep_former(row, before), "search_text", "updated_at"] if changed else []


def recognised_by(row: Contact) -> list[str]:
    return [getattr(row, name) for name in _RECOGNISED]


def keep_former(row: Contact, before: Iterable[str]) -> list[str]:
    """Keeps what the row, not yet saved, was recognised by and is no more; answers the columns to save."""
    now = recognised_by(row)
    gone = [value for value in before if value and value not in now]
    if not gone:
        return []
    row.former = [*(value for value in row.former if value not in gone), *gone][-_FORMER:]
    return ["former"]


def _taken(row: Contact) -> list[str]:
    same = Contact.objects.filter(client_id=row.client_id, contact_id=row.contact_id).exclude(pk=row.pk)
    return ["contact_id"] if same.exists() else []
