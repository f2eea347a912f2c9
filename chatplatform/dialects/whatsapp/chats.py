from dataclasses import replace

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.deadline import deadline
from chatplatform.errors import NotFound
from clients.service import client_of_session, service_caller
from conversations.actions import open_chat

from ..operations import operation
from . import inputs, shapes
from .view import View, token_fits


class Chats(View):
    @operation(
        "Open a WhatsApp chat for a client's session",
        body=inputs.NewChat, answer=shapes.Created, problems=(403, 404, 408),
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = self.body()
        with deadline(settings.WHATSAPP_DEADLINE):
            service = service_caller()
            client = client_of_session(given.pop("session_name"))
            if client is None or not token_fits(request.user, client.pk):
                raise NotFound("Client")
            caller = replace(service, client_id=client.pk)
            conversation = open_chat(client_id=client.pk, by=caller, values=given)
        return Response({"success": True, "record": shapes.record(conversation, client.uuid)})
