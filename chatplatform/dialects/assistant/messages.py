from collections.abc import Sequence

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import integer
from chatplatform.errors import Forbidden, Invalid
from clients.actions import agent_of_staff
from conversations.models import Participant
from conversations.visible import Scoped
from messaging import windows
from messaging.actions import send_message, usable_uploads
from messaging.models import Upload
from messaging.senders import Sender, as_agent, as_user

from ..fields import parse_id, parse_uuid
from ..operations import operation
from . import inputs, shapes
from .view import View

_COUNTED = Scoped(lambda rows: rows.filter(pk=integer("id")).values("id", "client_id", "message_count"))


class Messages(View):
    @operation("List messages", query=inputs.MessageList, answer=shapes.MessagesFound, problems=(404,))
    def list(self, request: Request, conversation_id: str) -> Response:
        conversation = self.values_of(conversation_id, _COUNTED)
        query = self.query()
        limit, offset, count = query["limit"], query["offset"], conversation["message_count"]
        page = windows.page(
            conversation["id"],
            count=count,
            columns=shapes.MESSAGE,
            descending=query["order"] == "desc",
            limit=limit,
            offset=offset,
        )
        files = self.attachments_of([row["id"] for row in page if row["attachment_count"]])
        data = {
            "messages": [shapes.message(row, files[row["id"]]) for row in page],
            "total": min(count, settings.MESSAGE_WINDOW),
            "limit": limit,
            "offset": offset,
        }
        return self.ok(f"Found {data['total']} messages", data)

    @operation("Add a message", body=inputs.NewMessage, answer=shapes.MessageAdded, problems=(403, 404))
    def create(self, request: Request, conversation_id: str) -> Response:
        conversation = self.conversation(conversation_id)
        given = self.body()
        message = send_message(
            conversation=conversation,
            sender=self._sender(given["sender_type"], conversation_id),
            by=self.caller,
            text=given["content"],
            uploads=self._uploads(given.get("attachments", []), conversation_id),
            for_bots=False,  # this program asks for answers itself (call 6)
        )
        return self.ok("Message added successfully", shapes.added_message(message))

    def _sender(self, sender_type: str, conversation_id: str) -> Sender:
        """Admins may post as their agent; other staff when that agent takes part; customers never."""
        caller = self.caller
        if sender_type == "user":
            return as_user(caller)
        client_id = self.values_of(conversation_id, _COUNTED)["client_id"]
        if caller.is_admin:
            return as_agent(agent_of_staff(caller, client_id=client_id))
        people = self.all(Participant).present().select_related("agent")
        person = people.filter(
            conversation=int(conversation_id), agent=caller.agent_id or 0, agent__is_active=True
        ).first()
        if person is None:
            raise Forbidden("Only an agent who takes part may post as agent")
        return as_agent(person.agent)

    def _uploads(self, ids: Sequence[str], conversation_id: str) -> Sequence[Upload]:
        """The received, unused files of these ids that were brought to this conversation, in their order."""
        if not ids:
            return []
        of_conversation = self.all(Upload).filter(conversation=parse_id(conversation_id) or 0)
        found = usable_uploads(of_conversation, [uuid for uuid in map(parse_uuid, ids) if uuid])
        missing = [file_id for file_id in ids if file_id.lower() not in found]
        if missing:
            raise Invalid("Validation error", fields={"attachments": [f"{file_id} is no file" for file_id in missing]})
        return [found[file_id.lower()] for file_id in dict.fromkeys(ids)]
