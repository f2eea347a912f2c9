"""The action: everything in one transaction, the bytes of files and the database's own leavings after it."""

from django.db import transaction
from django.utils import timezone

from chatplatform.db import textindex
from chatplatform.db.batches import batched
from chatplatform.db.erased import leave_no_trace
from chatplatform.errors import NotFound
from clients.models import Contact, new_uuid
from conversations.models import Conversation, Participant

from ..models import Message
from ..retention.files import delete_doomed
from ..webhooks import erasing
from . import conversations, messages, traces
from .person import Person

#: What stands in the place of a name, in every API.
ERASED = "Erased contact"
_BATCH = 200  # conversations


@transaction.atomic
def erase_contact(*, contact: Contact) -> None:
    """Removes what is held about a contact: themselves, what they wrote, their files, what their conversations
    are called by and carry, and the copies of it in events, deliveries of webhooks, kept answers and the admin's
    history.

    Places, times, counters and who took part stay. Raises NotFound where they are erased already.
    """
    # Without the key: a message that is just being stored refers to this row and must not wait for us.
    row = Contact.objects.select_for_update(no_key=True).filter(pk=contact.pk, erased_at=None).first()
    if row is None:
        raise NotFound("Contact")
    person = Person.of(row)
    erasing.wait_for_bodies()
    done = _erase_conversations(row, person, set())
    _clear(row)
    done |= _erase_conversations(row, person, done)  # those begun while the others were at it
    conversations.erase_unused_tags(row.client_id, person)
    traces.forget_answers(row.client_id, done, person)
    traces.rename_in_admin_log(row, ERASED, done)
    transaction.on_commit(delete_doomed, robust=True)
    textindex.merge(Message, "search")
    transaction.on_commit(leave_no_trace, robust=True)


def _erase_conversations(row: Contact, person: Person, done: set[int]) -> set[int]:
    found: set[int] = set()
    for ids in batched(sorted(_conversations_of(row) - done), _BATCH):
        locked = Conversation.objects.filter(pk__in=ids).select_for_update(no_key=True, of=("self",)).order_by("pk")
        rows = list(locked)
        messages.erase(row, rows, ERASED)
        conversations.erase(row, rows, person)
        erasing.erase(ids)
        found |= {one.pk for one in rows}
    return found


def _conversations_of(row: Contact) -> set[int]:
    """Deleted ones and those they left too."""
    people = Participant.objects.filter(contact=row)
    present = people.filter(removed_at=None).values_list("conversation_id", flat=True)
    left = people.filter(removed_at__isnull=False).values_list("conversation_id", flat=True)
    wrote = Message.objects.filter(sender_contact=row).order_by().values_list("conversation_id", flat=True).distinct()
    return {*present, *left, *wrote}


def _clear(row: Contact) -> None:
    row.name, row.contact_id = ERASED, f"erased_{new_uuid().hex}"
    row.phone = row.email = row.source = ""
    row.source_key, row.metadata, row.former, row.erased_at = None, {}, [], timezone.now()
    row.save(
        update_fields=[
            "name", "contact_id", "phone", "email", "metadata", "former", "search_text", "source", "source_key",
            "updated_at", "erased_at",
        ]
    )  # fmt: skip
