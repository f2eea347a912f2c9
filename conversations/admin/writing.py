"""What staff write on a conversation's page: a reply, with a file too, or a private note."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext

from chatplatform.admin import caller_of
from chatplatform.errors import Invalid
from clients.actions import agent_of_staff
from messaging.actions import add_note, send_message, store_upload
from messaging.files.content import accepted_type, type_by_ending
from messaging.files.names import UNSAFE
from messaging.links import media_type
from messaging.models import Upload
from messaging.senders import as_agent

from ..models import Conversation
from .forms import WriteForm


def write(request: HttpRequest, row: Conversation, seen: Any) -> None:
    """As the agent that this member of staff is; `seen` names the row to an action."""
    form = WriteForm(request.POST, request.FILES)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    file: UploadedFile | None = form.cleaned_data.get("file")
    if not form.is_valid() or not (text.strip() or file):
        raise Invalid(gettext("Nothing was written: the text is empty or too long."))
    by = caller_of(request)
    if form.cleaned_data["private"]:
        if file is not None:
            raise Invalid(gettext("A file goes with a reply, not with a note."))
        with transaction.atomic():
            add_note(conversation=seen, sender=as_agent(agent_of_staff(by, client_id=row.client_id)), text=text)
        return
    shown = _file_message(_stored(seen, by, file)) if file is not None else {}
    with transaction.atomic():
        sender = as_agent(agent_of_staff(by, client_id=row.client_id))
        send_message(conversation=seen, sender=sender, by=by, text=text, **shown)


def _stored(seen: Any, by: Any, file: UploadedFile) -> Upload:
    name = UNSAFE.sub("_", file.name or "")
    said = file.content_type or ""
    try:
        return store_upload(
            conversation=seen,
            by=by,
            file_name=name,
            content_type=said if accepted_type(said) else type_by_ending(name) or said,
            size=file.size or 0,
            chunks=file.chunks(),
        )
    except Invalid as error:
        why = " ".join(message for messages in error.fields.values() for message in messages)
        raise Invalid(gettext("The file was not taken: %s") % why) from error


def _file_message(upload: Upload) -> dict[str, Any]:
    content = {"upload": upload.uuid.hex, "filename": upload.file_name}
    return {"type": media_type(upload.content_type), "content": content, "uploads": [upload]}
