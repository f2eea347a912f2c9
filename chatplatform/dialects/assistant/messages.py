from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.errors import Forbidden, Invalid, NotFound
from clients.actions import agent_of_staff
from clients.models import Agent
from conversations.models import Participant
from messaging.actions import send_message
from messaging.models import Attachment, Message, Upload
from messaging.senders import Sender, as_agent, as_user

from ..fields import parse_uuid
from . import inputs, shapes
from .view import View


class Messages(View):
    def list(self, request: Request, id: str) -> Response:
        conversation = self.conversation(id).values("id", "message_count").first()
        if conversation is None:
            raise NotFound("Conversation")
        query = self.query(inputs.MessageList)
        limit, offset = query["limit"], query["offset"]
        count, window = conversation["message_count"], settings.MESSAGE_WINDOW
        rows = Message.objects.all().window(conversation["id"], count=count, limit=window)
        rows = rows.order_by("seq" if query["order"] == "asc" else "-seq")
        page = list(rows[offset : min(offset + limit, window)].values(*shapes.MESSAGE)) if offset < window else []
        attachments = _attachments([row["id"] for row in page if row["attachment_count"]])
        data = {
            "messages": [shapes.message(row, attachments.get(row["id"], [])) for row in page],
            "total": min(count, window),
            "limit": limit,
            "offset": offset,
        }
        return self.ok(f"Found {data['total']} messages", data)

    def create(self, request: Request, id: str) -> Response:
        rows = self.conversation(id)
        given = self.body(inputs.NewMessage)
        message = send_message(
            conversation=rows,
            sender=self._sender(given["sender_type"], rows),
            by=self.caller,
            text=given["content"],
            uploads=self._uploads(given.get("attachments", [])),
        )
        return self.ok("Message added successfully", shapes.added_message(message))

    def _sender(self, sender_type: str, rows: Any) -> Sender:
        """Admins may post as their agent; other staff when that agent takes part; customers never."""
        caller = self.caller
        if sender_type == "user":
            return as_user(caller)
        conversation = rows.only("client_id").first()
        if conversation is None:
            raise NotFound("Conversation")
        if caller.is_admin:
            return as_agent(agent_of_staff(caller, client_id=conversation.client_id))
        takes_part = caller.agent_id is not None and (
            Participant.objects.present().filter(conversation_id=conversation.pk, agent_id=caller.agent_id).exists()
        )
        if not takes_part:
            raise Forbidden("Only an agent who takes part may post as agent")
        return as_agent(self.find(self.all(Agent), "Agent", pk=caller.agent_id))

    def _uploads(self, ids: Sequence[str]) -> Sequence[Upload]:
        """The received, unused files of these ids, in their order."""
        if not ids:
            return []
        ready = self.all(Upload).filter(state=Upload.State.READY, uuid__in=[i for i in ids if parse_uuid(i)])
        found = {str(upload.uuid): upload for upload in ready}
        missing = [file_id for file_id in ids if file_id.lower() not in found]
        if missing:
            raise Invalid("Validation error", fields={"attachments": [f"{file_id} is no file" for file_id in missing]})
        return [found[file_id.lower()] for file_id in dict.fromkeys(ids)]


def _attachments(message_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if message_ids:
        for attachment in Attachment.objects.filter(message_id__in=message_ids):
            found[attachment.message_id].append(
                {
                    "uuid": str(attachment.uuid),
                    "file_name": attachment.file_name,
                    "file_type": attachment.file_type,
                    "file_size": attachment.file_size,
                    "url": attachment.url,
                }
            )
    return found
