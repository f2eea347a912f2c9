from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import integer
from chatplatform.errors import Forbidden, Invalid
from clients.actions import agent_of_staff
from conversations.models import Participant
from conversations.visible import Scoped
from messaging import windows
from messaging.actions import send_message
from messaging.models import Upload
from messaging.senders import Sender, as_agent, as_user

from ..fields import parse_uuid
from . import inputs, shapes
from .view import View

_COUNTED = Scoped(lambda rows: rows.filter(pk=integer("id")).values("id", "client_id", "message_count"))


class Messages(View):
    def list(self, request: Request, id: str) -> Response:
        conversation = self.values_of(id, _COUNTED)
        query = self.query(inputs.MessageList)
        limit, offset, count = query["limit"], query["offset"], conversation["message_count"]
        page = windows.page(
            conversation["id"],
            count=count,
            columns=shapes.MESSAGE,
            descending=query["order"] == "desc",
            limit=limit,
            offset=offset,
        )
        attachments = _attachments([row["id"] for row in page if row["attachment_count"]])
        data = {
            "messages": [shapes.message(row, attachments.get(row["id"], [])) for row in page],
            "total": min(count, settings.MESSAGE_WINDOW),
            "limit": limit,
            "offset": offset,
        }
        return self.ok(f"Found {data['total']} messages", data)

    def create(self, request: Request, id: str) -> Response:
        conversation = self.conversation(id)
        given = self.body(inputs.NewMessage)
        message = send_message(
            conversation=conversation,
            sender=self._sender(given["sender_type"], id),
            by=self.caller,
            text=given["content"],
            uploads=self._uploads(given.get("attachments", [])),
        )
        return self.ok("Message added successfully", shapes.added_message(message))

    def _sender(self, sender_type: str, id: str) -> Sender:
        """Admins may post as their agent; other staff when that agent takes part; customers never."""
        caller = self.caller
        if sender_type == "user":
            return as_user(caller)
        client_id = self.values_of(id, _COUNTED)["client_id"]
        if caller.is_admin:
            return as_agent(agent_of_staff(caller, client_id=client_id))
        people = self.all(Participant).present().select_related("agent")
        person = people.filter(conversation=int(id), agent=caller.agent_id or 0, agent__is_active=True).first()
        if person is None:
            raise Forbidden("Only an agent who takes part may post as agent")
        return as_agent(person.agent)

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
    for attachment in windows.attachments_of(message_ids):
        found[attachment.message_id].append(shapes.attachment(attachment))
    return found
