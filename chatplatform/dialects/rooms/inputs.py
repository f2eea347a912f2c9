from typing import ClassVar

from ..fields import Changes, Count, Input, Query, Text


class NewConversation(Input):
    """`userId` is whose it is to be; the caller's without one."""

    example: ClassVar = {"room": "shop-14 + maya", "integrationType": "website", "botId": "greeter"}

    room = Text(max_length=255)
    integrationType = Text(max_length=50)
    userId = Text(max_length=64, required=False)
    botId = Text(max_length=255, required=False)


class ConversationChanges(Changes):
    example: ClassVar = {"room": "shop-14 + maya, order BD-20591"}

    room = Text(max_length=255, required=False)
    integrationType = Text(max_length=50, required=False)
    botId = Text(max_length=255, required=False, allow_null=True)


class ConversationList(Query):
    page = Count()
    limit = Count(most=100)
    userId = Text(max_length=64, required=False)
    botId = Text(max_length=255, required=False)
