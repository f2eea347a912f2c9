from typing import ClassVar

from ..fields import Boolean, Input, Phone, Text


class NewChat(Input):
    example: ClassVar = {
        "session_name": "ses_…",
        "name": "Late box",
        "number_client": 12025550142,
        "category": "support",
    }

    session_name = Text()
    use_bot = Boolean(default=True)
    name = Text(max_length=255, allow_blank=True, default="")
    number_client = Phone(default=None)
    category = Text(max_length=50, default="general")
    finished_chat = Boolean(default=False)
    chat_id = Text(max_length=255, default=None)
