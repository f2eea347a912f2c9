"""Announcing a file, which every dialect that has uploads takes alike (contract `workspace.md`, Uploads)."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings

from clients.fields import MAX_INTEGER
from conversations.actions import Target
from messaging.actions import announce_upload
from messaging.files import upload_address
from messaging.files.content import KINDS
from messaging.models import Upload

from .fields import Input, Integer, Text

if TYPE_CHECKING:
    from .base import DialectView


class ContentType(Text):
    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(KINDS)}


class FileSize(Integer):
    default_error_messages: ClassVar = {"least": "Must be at least 1."}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": settings.UPLOAD_LIMIT}

    def to_internal_value(self, data: Any) -> int:
        value = super().to_internal_value(data)
        if value < 1:
            self.fail("least")
        if value > MAX_INTEGER:
            self.fail("invalid")
        return value


class NewUpload(Input):
    """A file that is going to be put to the address which this call answers."""

    example: ClassVar = {"filename": "invoice.pdf", "content_type": "application/pdf", "size": 48213}

    filename = Text(max_length=255)
    content_type = ContentType(max_length=255)
    size = FileSize()


def announce(view: "DialectView", conversation: Target) -> tuple[Upload, str]:
    """The announced file, and where its bytes go."""
    given = view.body()
    upload = announce_upload(
        conversation=conversation,
        by=view.caller,
        file_name=given["filename"],
        content_type=given["content_type"],
        size=given["size"],
    )
    return upload, view.whole(upload_address(upload))
