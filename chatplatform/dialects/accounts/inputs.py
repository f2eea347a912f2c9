from typing import Any, ClassVar

from rest_framework import serializers

from ..fields import Input, Text


class LogIn(Input):
    """`email` or `username`; both name the same person."""

    example: ClassVar = {"email": "maya.hart@example.com", "password": "…"}

    email = Text(max_length=255, required=False)
    username = Text(max_length=255, required=False)
    password = Text(max_length=1024)

    json_schema_extra: ClassVar = {
        "anyOf": [
            {"required": [name], "properties": {name: {"type": "string"}}} for name in ("email", "username")
        ]
    }  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "email" not in attrs and "username" not in attrs:
            raise serializers.ValidationError({"email": ["This field is required."]})
        return attrs


class Refresh(Input):
    refresh = Text(max_length=4096)


class LogOut(Input):
    """Whatever there is of the log-in; cookies and the Bearer token come without a body."""

    may_be_absent = True

    refresh = Text(max_length=4096, required=False, allow_blank=True)


class PasswordChange(Input):
    old_password = Text(max_length=1024)
    new_password = Text(max_length=1024)


class PasswordReset(Input):
    email = Text(max_length=255)


class PasswordByLink(Input):
    uid = Text(max_length=255)
    token = Text(max_length=255)
    new_password = Text(max_length=1024)
