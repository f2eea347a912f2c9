from dataclasses import replace
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.deadline import deadline
from chatplatform.errors import NotFound
from clients.callers import Caller
from clients.models import Client
from clients.service import client_of_session, service_caller
from conversations.actions import open_chat

from . import inputs, shapes
from .view import View


class Chats(View):
    def create(self, request: Request) -> Response:
        given = self.body(inputs.NewChat)
        with deadline(settings.WHATSAPP_DEADLINE):
            service = service_caller()
            client = client_of_session(given.pop("session_name"))
            if client is None or not _token_fits(request.user, client):
                raise NotFound("Client")
            caller = replace(service, client_id=client.pk)
            conversation = open_chat(client_id=client.pk, by=caller, values=given)
        return Response({"success": True, "record": shapes.record(conversation, client.uuid)})


def _token_fits(token: Any, client: Client) -> bool:
    """Where the deployment demands a token, it must be the session's own client's."""
    return not isinstance(token, Caller) or token.client_id == client.pk
