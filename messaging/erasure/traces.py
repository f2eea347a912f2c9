"""Copies that are no part of a conversation: answers kept for idempotency keys, the admin's history."""

import re
from collections.abc import Collection

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from chatplatform.db.batches import batched
from clients.models import ApiToken, Client, Contact, IdempotencyKey, User
from clients.tokens import digest
from conversations.models import Conversation

from ..models import Message
from .messages import GONE
from .person import Person

_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_NUMBER = re.compile(r'"(?:id|conversation_id)": ?([0-9]+)')


def forget_answers(client_id: int, conversations: Collection[int], person: Person) -> None:
    """Those that tell of these conversations or, to the client's callers, of the person. A retry of such a
    call is a new call from then on."""
    rows = Conversation.objects.filter(pk__in=conversations)
    uuids, numbers = {uuid.hex for uuid in rows.values_list("uuid", flat=True)}, {str(pk) for pk in conversations}
    callers, session = _callers(client_id)
    doomed = []
    for pk, caller, body in IdempotencyKey.objects.values_list("pk", "caller", "body").iterator(chunk_size=200):
        text = bytes(body).decode(errors="replace")
        if any(found.replace("-", "") in uuids for found in _UUID.findall(text)):
            doomed.append(pk)
        elif caller in callers or caller.startswith(session):
            if person.is_in_answer(text) or not numbers.isdisjoint(_NUMBER.findall(text)):
                doomed.append(pk)
    for some in batched(doomed, 500):
        IdempotencyKey.objects.filter(pk__in=some).delete()


def _callers(client_id: int) -> tuple[set[str], str]:
    """The client's, and those who belong to none."""
    tokens = ApiToken.objects.for_client(client_id).values_list("pk", flat=True)
    users = User.objects.filter(Q(client=client_id) | Q(client=None)).values_list("pk", flat=True)
    session = Client.objects.values_list("session_id", flat=True).get(pk=client_id)
    return {*(f"token:{pk}" for pk in tokens), *(f"user:{pk}" for pk in users)}, f"session:{digest(session)}:"


def rename_in_admin_log(contact: Contact, name: str, conversations: Collection[int]) -> None:
    """The history keeps what a row was called when it was changed."""
    rename(Contact, {contact.pk: name})
    ids = _logged(Conversation) & set(conversations)
    rename(Conversation, {row.pk: row.label for row in Conversation.objects.filter(pk__in=ids)})
    theirs = Message.objects.filter(pk__in=_logged(Message), sender_contact=contact)
    rename(Message, dict.fromkeys(theirs.values_list("pk", flat=True), GONE))


def _logged(model: type[Model]) -> set[int]:
    ids = _entries(model).order_by().values_list("object_id", flat=True).distinct()
    return {int(pk) for pk in ids if pk and pk.isdigit()}


def rename(model: type[Model], names: dict[int, str]) -> None:
    """In the admin's history."""
    for pk, name in names.items():
        _entries(model).filter(object_id=str(pk)).update(object_repr=name[:200])


def _entries(model: type[Model]) -> QuerySet[LogEntry]:
    """Of the pages of its proxies too."""
    models = [one for one in apps.get_models() if one._meta.concrete_model is model]
    types = ContentType.objects.get_for_models(*models, for_concrete_models=False)
    return LogEntry.objects.filter(content_type__in=types.values())
