"""What a contact wrote: the place, the time and the type stay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from chatplatform.db.batches import batched
from clients.models import Agent, Contact
from conversations.models import Conversation

from ..actions.changes import settle_flag
from ..links import MEDIA
from ..models import Attachment, Message, Upload
from ..retention.files import doom
from ..search.text import stems
from ..text import PREVIEW, plain_text, said

#: What a text says from then on.
GONE = "[erased]"
#: By type, since each keeps the form that its contract gives it.
_LEFT: dict[str, dict[str, Any]] = {
    "text": {"text": GONE, "content": {}},
    **{type_: {"text": "", "content": {}} for type_ in MEDIA},
    "location": {"text": "", "content": {"latitude": 0.0, "longitude": 0.0, "name": GONE}},
    "contact": {"text": "", "content": {"formatted_name": GONE}},
}


def erase(contact: Contact, rows: Sequence[Conversation], name: str) -> None:
    """In these conversations, which are locked."""
    theirs = Message.objects.filter(sender_contact=contact, conversation__in=rows)
    _erase_files(theirs, rows)
    now = timezone.now()
    for type_, left in _LEFT.items():
        words = stems(said(type_, left["text"], left["content"]), contact.client.search_language)
        theirs.filter(type=type_).update(
            **left, search=words, metadata={}, flag_reasons=[], sender_name=name, attachment_count=0, updated_at=now
        )
    _drop_held(theirs, rows, now)
    # A bot's note of a handing over repeats the customer's last words.
    notes = Message.objects.filter(conversation__in=rows, visibility="private", sender_agent__kind=Agent.Kind.AI)
    notes.update(text=GONE, updated_at=now)
    shown = theirs.filter(seq=F("conversation__last_message_seq"))
    last = {pk: plain_text(*one) for pk, *one in shown.values_list("conversation_id", "type", "text", "content")}
    for row in rows:
        row.last_message_text = last.get(row.pk, row.last_message_text)[:PREVIEW]


def _drop_held(theirs: Any, rows: Sequence[Conversation], now: datetime) -> None:
    """There is nothing left to release."""
    held = set(theirs.held().values_list("conversation_id", flat=True))
    theirs.held().update(deleted_at=now)
    for row in rows:
        if row.pk in held:
            settle_flag(row)


def _erase_files(theirs: Any, rows: Sequence[Conversation]) -> None:
    """Those of their messages; and those that are in no message yet, of which nobody can tell whose they are."""
    used = Upload.objects.filter(attachment__message__in=theirs.values("pk"))
    waiting = Upload.objects.filter(conversation__in=rows, attachment=None)
    uploads = [*used, *waiting]
    doom(upload for upload in uploads if upload.removed_at is None)
    Attachment.objects.filter(message__in=theirs.values("pk")).delete()
    for some in batched(uploads, 500):
        Upload.objects.filter(pk__in=[upload.pk for upload in some]).delete()
