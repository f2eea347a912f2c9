from collections.abc import Sequence

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import uuid
from chatplatform.errors import Invalid
from conversations.visible import Scoped
from messaging import windows
from messaging.actions import send_message, usable_uploads
from messaging.models import Upload
from messaging.senders import as_user

from ..operations import operation
from . import inputs, paging, shapes
from .view import View
from .words import SELECTED

_COUNTED = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values("id", "uuid", "message_count"))


class Messages(View):
    @operation("List messages", query=inputs.Page, answer=shapes.MessagePage, problems=(404, 422))
    def list(self, request: Request, conversation_id: str) -> Response:
        conversation = self.values_of(conversation_id, _COUNTED)
        query = self.query()
        count, offset = conversation["message_count"], paging.offset_of(query)
        page = windows.page(
            conversation["id"],
            count=count,
            columns=shapes.MESSAGE,
            descending=True,
            limit=query["per_page"],
            offset=offset,
        )
        files = self.attachments_of([row["id"] for row in page if row["attachment_count"]])
        total = min(count, settings.MESSAGE_WINDOW)
        links, meta = paging.placed(
            request, query, shown=len(page), more=offset + query["per_page"] < total, total={"total": total}
        )
        data = [shapes.message(row, str(conversation["uuid"]), files[row["id"]]) for row in page]
        return Response({"data": data, "links": links, "meta": meta})

    @operation("Send message", body=inputs.NewMessage, answer=shapes.MessageSent, status=201, problems=(403, 404))
    def create(self, request: Request, conversation_id: str) -> Response:
        conversation = self.conversation(conversation_id)
        given = self.body()
        message = send_message(
            conversation=conversation,
            sender=as_user(self.caller),
            by=self.caller,
            text=given["text"],
            uploads=self._uploads(given.get("attachments", []), conversation_id),
        )
        files = self.attachments_of([message.pk] if message.attachment_count else [])
        row = {
            **{name: getattr(message, name) for name in shapes.MESSAGE if "__" not in name},
            "sender_user__uuid": self.caller.user_uuid,
        }
        data = shapes.message(row, str(conversation.id), files[message.pk])
        return Response({"message": "Message sent successfully", "data": data}, status=201)

    def _uploads(self, ids: Sequence[str], conversation_id: str) -> Sequence[Upload]:
        """The files of these ids that the caller brought here and that no message has yet, in their order."""
        if not ids:
            return []
        mine = self.all(Upload).filter(
            conversation__uuid=self.conversation(conversation_id).id, created_by_user=self.caller.user_id
        )
        found = usable_uploads(mine, ids)
        missing = {f"attachments.{n}": [SELECTED] for n, file_id in enumerate(ids) if file_id not in found}
        if missing:
            raise Invalid("Validation error", fields=missing)
        return [found[file_id] for file_id in dict.fromkeys(ids)]
