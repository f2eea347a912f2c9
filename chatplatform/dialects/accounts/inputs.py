from typing import Any

from rest_framework import serializers

from ..fields import Input, Text


class LogIn(Input):
    """`email` or `username`; both name the same person."""

    email = Text(max_length=255, required=False)
    username = Text(max_length=255, required=False)
    password = Text(max_length=1024)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "email" not in attrs and "username" not in attrs:
            raise serializers.ValidationError({"email": ["This field is required."]})
        return attrs


class Refresh(Input):
    refresh = Text(max_length=4096)
