"""What the calls of conversations, participants and messages take."""

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from conversations.actions import PERMISSIONS, TAGS
from conversations.models import Participant
from conversations.models.tags import TAG_LENGTH
from conversations.states import Status
from messaging.files.names import UNSAFE
from messaging.models import Message
from messaging.search.query import LONGEST

from ..fields import Changes, Choice, Count, Input, Metadata, Number, Query, QueryTime, Text, WebAddress
from .paging import OrderedPage, Page

MESSAGE_TYPES = ("text", "image", "video", "audio", "file", "location", "contact")
_OWN_ID = 64  # characters of the workspace's own ids


class _Permissions(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=Choice(choices=PERMISSIONS), max_length=len(PERMISSIONS), **options)


class _Tags(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=Text(max_length=TAG_LENGTH), max_length=TAGS, **options)


# --- conversations ---


class ConversationList(OrderedPage):
    status = Choice(choices=Status.values, required=False)
    channel = Text(required=False, max_length=50)
    tag = Text(required=False, max_length=TAG_LENGTH)
    contact_id = Text(required=False, max_length=_OWN_ID)
    agent_id = Text(required=False, max_length=_OWN_ID)
    subject = Text(required=False, max_length=255)
    created_after = QueryTime(required=False)
    created_before = QueryTime(required=False)


class Somebody(Input):
    """Exactly one of the two; what is wrong with that is an invalid participant, not a validation error."""

    contact_id = Text(max_length=_OWN_ID, required=False)
    agent_id = Text(max_length=_OWN_ID, required=False)


class NewParticipant(Somebody):
    example: ClassVar = {"agent_id": "agent_1", "role": "supervisor"}

    role = Choice(choices=Participant.Role.values, required=False)
    permissions = _Permissions(required=False)


class NewConversation(Input):
    example: ClassVar = {
        "participants": [{"contact_id": "contact_1"}, {"agent_id": "agent_1"}],
        "channel": "whatsapp",
        "subject": "Late box",
        "tags": ["shipping"],
    }

    participants = serializers.ListField(child=NewParticipant(), min_length=1)
    channel = Text(max_length=50)
    subject = Text(max_length=255, allow_blank=True, required=False)
    tags = _Tags(required=False)
    metadata = Metadata(required=False)


class ConversationChanges(Changes):
    example: ClassVar = {"status": "waiting_for_customer", "metadata": {"order": "BD-20591"}}

    status = Choice(choices=Status.values, required=False)
    tags = _Tags(required=False, allow_null=True)
    subject = Text(max_length=255, allow_blank=True, required=False, allow_null=True)
    metadata = Metadata(required=False, allow_null=True)


class ParticipantChanges(Changes):
    example: ClassVar = {"role": "manager"}

    role = Choice(choices=Participant.Role.values, required=False)
    permissions = _Permissions(required=False)


# --- messages ---


class MessageList(Query):
    limit = Count(default=50, most=500)
    offset = Count(default=0, least=0)
    order = serializers.ChoiceField(choices=["asc", "desc"], default="desc")
    before = Text(required=False, max_length=255)
    after = Text(required=False, max_length=255)


class Search(Page):
    query = Text(max_length=LONGEST)
    order = serializers.ChoiceField(choices=["newest", "rank"], default="newest")


class TextObject(Input):
    body = Text()


class FileName(Text):
    default_error_messages: ClassVar = {"unsafe": "A file name without path and control characters is required."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if UNSAFE.search(name):
            self.fail("unsafe")
        return name


class MediaObject(Input):
    url = WebAddress(required=False)
    file_id = Text(max_length=64, required=False)
    caption = Text(allow_blank=True, required=False)
    filename = FileName(max_length=255, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("url" in attrs) == ("file_id" in attrs):
            raise ValidationError({"url": ["Exactly one of url and file_id is required."]})
        return attrs


class LocationObject(Input):
    latitude = Number(least=-90, most=90)
    longitude = Number(least=-180, most=180)
    name = Text(max_length=255, required=False)
    address = Text(max_length=1000, required=False)


class Phone(Input):
    """As it stands on the card: shown, not called."""

    phone = Text(max_length=64)
    type = Text(max_length=50)


class Email(Input):
    email = Text(max_length=255, validators=[RegexValidator(r"^[^@\s]+@[^@\s]+$", "An e-mail address is required.")])
    type = Text(max_length=50)


class ContactObject(Input):
    formatted_name = Text(max_length=255)
    phones = serializers.ListField(child=Phone(), required=False, max_length=100)
    emails = serializers.ListField(child=Email(), required=False, max_length=100)


class NewMessage(Input):
    """With the object that is named after its type."""

    example: ClassVar = {
        "type": "text",
        "text": {"body": "Your box left this morning."},
        "sender": {"agent_id": "agent_1"},
    }

    type = Choice(choices=MESSAGE_TYPES)
    sender = Somebody()
    text = TextObject(required=False)
    image = MediaObject(required=False)
    video = MediaObject(required=False)
    audio = MediaObject(required=False)
    file = MediaObject(required=False)
    location = LocationObject(required=False)
    contact = ContactObject(required=False)
    metadata = Metadata(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["type"] not in attrs:
            raise ValidationError({attrs["type"]: ["This field is required."]})
        return attrs


class MessageChanges(Changes):
    """What a message says stays; an edit is marked in its metadata."""

    example: ClassVar = {"status": "delivered"}

    status = Choice(choices=Message.Status.values, required=False)
    metadata = Metadata(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        if content := [name for name in ("type", "sender", *MESSAGE_TYPES) if name in data]:
            raise ValidationError({name: ["The content of a message cannot be changed."] for name in content})
        return super().to_internal_value(data)
