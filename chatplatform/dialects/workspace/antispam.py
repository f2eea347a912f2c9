from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clients.actions import change_settings
from clients.models import Client
from messaging import spam
from messaging.spam.links import DOMAIN
from messaging.spam.settings import DOMAIN_LENGTH, ENTRIES, KEYWORD_LENGTH

from ..fields import Boolean, Choice, Input, Text
from ..operations import operation
from .view import View


class _Domain(Text):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=DOMAIN_LENGTH, **options)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{DOMAIN}$", "maxLength": DOMAIN_LENGTH}


class AntiSpamInput(Input):
    """All of them at once: what is not given has its default. An empty call must not turn it off."""

    example: ClassVar[Mapping[str, Any]] = {
        "enabled": True,
        "sensitivity": "medium",
        "actions": ["flag", "quarantine"],
        "whitelist_domains": ["example.com"],
        "blacklist_keywords": ["casino"],
    }

    enabled = Boolean()
    sensitivity = Choice(choices=spam.SENSITIVITIES, required=False)
    actions = serializers.ListField(child=Choice(choices=spam.ACTIONS), required=False, max_length=10)
    whitelist_domains = serializers.ListField(child=_Domain(), required=False, max_length=ENTRIES)
    blacklist_keywords = serializers.ListField(
        child=Text(max_length=KEYWORD_LENGTH), required=False, max_length=ENTRIES
    )


class AntiSpamShown(TypedDict):
    enabled: bool
    sensitivity: Literal["low", "medium", "high"]
    actions: list[Literal["flag", "quarantine"]]
    whitelist_domains: list[str]
    blacklist_keywords: list[str]


class AntiSpamSettings(View):
    reads = writes = "settings"

    @operation("Get the anti-spam settings", answer=AntiSpamShown)
    def retrieve(self, request: Request) -> Response:
        row: Client = self.find(self.all(Client), "Client", pk=self.caller.client_id)
        return Response(spam.antispam_of(row.settings).as_json())

    @operation("Set the anti-spam settings", body=AntiSpamInput, answer=AntiSpamShown)
    def update(self, request: Request) -> Response:
        assert self.caller.client_id is not None  # noqa: S101 - a token is a client's
        wanted = spam.checked(self.body())
        change_settings(self.caller.client_id, **{spam.KEY: wanted})
        return Response(wanted)
