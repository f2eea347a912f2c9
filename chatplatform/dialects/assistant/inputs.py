from typing import Any, ClassVar

from rest_framework import serializers

from conversations.states import Status
from messaging.search.query import LONGEST

from ..fields import Between, Boolean, Changes, Count, Input, Integer, Query, QueryBoolean, QueryInteger, Text

_ORDERINGS = ("last_message_at", "created_at", "title", "total_messages")


class StatusField(serializers.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Status.values, **options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class ConversationList(Query):
    limit = Count(default=20, most=100)
    offset = Count(default=0, least=0)
    status = StatusField(required=False)
    agent_id = QueryInteger(required=False)
    conversation_type = Text(required=False, max_length=50)
    is_archived = QueryBoolean(required=False)
    is_pinned = QueryBoolean(required=False)
    search = Text(required=False, max_length=255)
    ordering = serializers.ChoiceField(
        required=False, choices=[sign + column for column in _ORDERINGS for sign in ("", "-")]
    )


class NewConversation(Input):
    example: ClassVar = {"title": "Where is my parcel?"}

    title = Text(max_length=255)
    agent_id = Integer(required=False)
    conversation_type = Text(max_length=50, default="chat")


class ConversationChanges(Changes):
    example: ClassVar = {"is_pinned": True}

    title = Text(max_length=255, required=False)
    agent_id = Integer(required=False, allow_null=True)
    status = StatusField(required=False)
    is_archived = Boolean(required=False)
    is_pinned = Boolean(required=False)
    conversation_type = Text(max_length=50, required=False)


class MessageList(Query):
    limit = Count(default=50, most=500)
    offset = Count(default=0, least=0)
    order = serializers.ChoiceField(choices=["asc", "desc"], default="asc")


class Search(Query):
    query = Text(max_length=LONGEST)
    limit = Count(default=20, most=100)
    offset = Count(default=0, least=0)
    order = serializers.ChoiceField(choices=["newest", "rank"], default="newest")
    conversation_id = QueryInteger(required=False)


class SenderType(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class NewMessage(Input):
    """A text-only door: `content_type` and `message_type` are taken and make no other kind of message."""

    example: ClassVar = {"content": "Order BD-20591 is late."}

    content = Text()
    sender_type = SenderType(choices=["user", "agent"], default="user")
    content_type = Text(max_length=50, required=False)
    message_type = Text(max_length=50, required=False)
    attachments = serializers.ListField(child=Text(max_length=64), required=False, max_length=20)


class Dashboard(Query):
    days = Between(least=1, most=365, default=30)


class NewQuestion(Input):
    example: ClassVar = {"message": "My order number is #12345", "include_context": True}

    message = Text()
    agent_id = Integer(required=False)
    include_context = Boolean(default=True)
