"""Shapes of messages and the files in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

from messaging.links import MEDIA
from messaging.text import file_name

from ..counting import Total
from ..files import FileUrl
from ..operations import Form, Time, Url, Uuid
from . import ids
from .shapes import ConversationId, Flagged, Pagination, flagged, time

#: Of a message itself, and who sent it by the ids that this dialect knows them by.
MESSAGE = (
    "id", "uuid", "type", "text", "content", "sender_name", "created_at", "status", "metadata", "visibility",
    "is_flagged", "flag_reasons", "attachment_count",
)  # fmt: skip
SENDER = {
    "contact_id": "sender_contact__contact_id",
    "agent_id": "sender_agent__agent_id",
    "user_id": "sender_user__uuid",
}

MessageId = Annotated[str, Form(pattern="^msg_[0-9a-f]{32}$")]
FileId = Annotated[str, Form(pattern="^file_[0-9a-f]{32}$")]


class TextShown(TypedDict):
    body: str


class MediaShown(TypedDict):
    url: NotRequired[str]
    file_id: NotRequired[FileId]
    caption: NotRequired[str]
    filename: NotRequired[str]


class LocationShown(TypedDict):
    latitude: float
    longitude: float
    name: NotRequired[str]
    address: NotRequired[str]


class PhoneShown(TypedDict):
    phone: str
    type: str


class EmailShown(TypedDict):
    email: str
    type: str


class ContactCard(TypedDict):
    formatted_name: str
    phones: NotRequired[list[PhoneShown]]
    emails: NotRequired[list[EmailShown]]


class Sender(TypedDict):
    contact_id: NotRequired[str]
    agent_id: NotRequired[str]
    user_id: NotRequired[Uuid]
    name: str


class AttachmentShown(TypedDict):
    uuid: Uuid
    file_name: str
    file_type: str
    file_size: int | None
    url: NotRequired[Url]


class Message(Flagged):
    """With the object that is named after its type."""

    id: MessageId
    conversation_id: ConversationId
    type: Literal["text", "image", "video", "audio", "file", "location", "contact"]
    text: NotRequired[TextShown]
    image: NotRequired[MediaShown]
    video: NotRequired[MediaShown]
    audio: NotRequired[MediaShown]
    file: NotRequired[MediaShown]
    location: NotRequired[LocationShown]
    contact: NotRequired[ContactCard]
    #: Files that no such object shows: those sent with a text through another API.
    attachments: NotRequired[list[AttachmentShown]]
    sender: Sender
    timestamp: Time
    status: Literal["sent", "delivered", "read", "failed", "quarantined"]
    metadata: dict[str, Any]


class Upload(TypedDict):
    upload_url: Url
    file_id: FileId
    expires_at: Time


class MessagesWindow(Total):
    limit: int
    offset: int


class Messages(TypedDict):
    messages: list[Message]
    pagination: MessagesWindow


class FoundMessage(Message):
    #: HTML: some of what it says, escaped, with the words that match in <mark>.
    highlight: str


class FoundMessages(TypedDict):
    messages: list[FoundMessage]
    pagination: Pagination


def needs_files(row: Mapping[str, Any]) -> bool:
    """Whether a message's files are to be looked at: those beside its own object, and an upload in it."""
    return bool(row["attachment_count"]) and (row["type"] not in MEDIA or "upload" in row["content"])


def message(
    row: dict[str, Any], conversation_id: str, file_url: FileUrl, attachments: Sequence[Mapping[str, Any]] = ()
) -> Message:
    beside = attachments and row["type"] not in MEDIA
    shown: dict[str, Any] = {
        "id": ids.shown("msg", row["uuid"]),
        "conversation_id": conversation_id,
        "type": row["type"],
        row["type"]: _content(row, file_url, attachments),
        **({"attachments": [_attachment(file) for file in attachments]} if beside else {}),
        "sender": _sender(row),
        "timestamp": time(row["created_at"]),
        "status": "quarantined" if row["visibility"] == "held" else row["status"],
        "metadata": row["metadata"],
        **flagged(row),
    }
    return shown  # type: ignore[return-value]


def _attachment(row: Mapping[str, Any]) -> AttachmentShown:
    shown: AttachmentShown = {
        "uuid": str(row["uuid"]),
        "file_name": row["file_name"],
        "file_type": row["file_type"],
        "file_size": row["file_size"],
    }
    if row["url"]:
        shown["url"] = row["url"]
    return shown


def _content(row: dict[str, Any], file_url: FileUrl, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The object that is named after the type."""
    if row["type"] == "text":
        return {"body": row["text"]}
    content: dict[str, Any] = row["content"]
    if row["type"] in MEDIA:
        file: dict[str, Any] = {}
        if "upload" in content:
            uuid = UUID(content["upload"])
            file = {"file_id": ids.shown("file", uuid)}
            if all(one["url"] for one in files):  # else it was removed
                file["url"] = file_url(uuid, file_name(content))
        kept: dict[str, Any] = {name: content[name] for name in ("url", "filename") if name in content}
        return {**file, **kept, **({"caption": row["text"]} if row["text"] else {})}
    return content


def _sender(row: dict[str, Any]) -> Sender:
    for name, column in SENDER.items():
        if row[column] is not None:
            return {name: str(row[column]), "name": row["sender_name"]}  # type: ignore[misc, return-value]
    return {"name": row["sender_name"]}
