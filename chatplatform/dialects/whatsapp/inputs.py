import re
from typing import Any

from rest_framework import serializers

from ..fields import Boolean, Input, Text

_PHONE = re.compile(r"\+?([1-9][0-9]{0,14})", re.ASCII)


class Phone(serializers.Field):
    """E.164: 1 to 15 digits not beginning with 0, as a number or a string (a leading + allowed)."""

    default_error_messages = {"invalid": "A phone number of 1 to 15 digits is required."}

    def to_internal_value(self, data: Any) -> str:
        text = str(data) if isinstance(data, int) and not isinstance(data, bool) else data
        match = _PHONE.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            self.fail("invalid")
        return match.group(1)


class NewChat(Input):
    session_name = Text()
    use_bot = Boolean(default=True)
    name = Text(max_length=255, allow_blank=True, default="")
    number_client = Phone(default=None)
    category = Text(max_length=50, default="general")
    finished_chat = Boolean(default=False)
    chat_id = Text(max_length=255, default=None)
