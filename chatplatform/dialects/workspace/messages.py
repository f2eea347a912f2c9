from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import uuid
from chatplatform.errors import Invalid, InvalidParticipant, NotFound
from conversations.visible import Scoped
from messaging import windows
from messaging.actions import delete_message, send_message, update_message, usable_uploads
from messaging.links import MEDIA
from messaging.models import Message, Upload

from ..operations import operation
from . import ids, inputs, own_ids
from . import message_shapes as shapes
from .view import View

_COUNTED = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values("id", "message_count", "last_seq"))
_COLUMNS = (*shapes.MESSAGE, *shapes.SENDER.values())


class Messages(View):
    reads = "messages:read"
    writes = "messages:write"
    rates = "messages"

    @operation(
        "Add a message",
        body=inputs.NewMessage, answer=shapes.Message, status=201, problems=(404,), gives={"message_id": "/id"},
    )  # fmt: skip
    def create(self, request: Request, conversation_id: str) -> Response:
        given = self.body()
        type_, named = given["type"], given["sender"]
        sender = own_ids.sender(self, named)
        if sender is None:
            self.values_of(conversation_id, _COUNTED)  # an unknown conversation is told before an unknown sender
            raise InvalidParticipant("Unknown sender", fields={"sender": ["Nobody has this id."]})
        said: dict[str, Any] = dict(given[type_])
        message = send_message(
            conversation=self.conversation(conversation_id),
            sender=sender,
            by=self.caller,
            type=type_,
            text=said.pop("body" if type_ == "text" else "caption", ""),
            uploads=self._uploads(conversation_id, type_, said),
            content=said,
            metadata=given.get("metadata"),
            only_participants=True,
        )
        row = {name: getattr(message, name) for name in shapes.MESSAGE}
        sent_by = {column: named.get(name) for name, column in shapes.SENDER.items()}
        return Response(shapes.message({**row, **sent_by}, conversation_id, self.file_url), status=201)

    @operation("List messages", query=inputs.MessageList, answer=shapes.Messages, problems=(404,))
    def list(self, request: Request, conversation_id: str) -> Response:
        conversation = self.values_of(conversation_id, _COUNTED)
        query = self.query()
        limit, offset, count = query["limit"], query["offset"], conversation["message_count"]
        place: dict[str, Any] = {"columns": _COLUMNS, "limit": limit, "offset": offset}
        place["descending"] = query["order"] == "desc"
        if query.keys() & {"before", "after"}:
            places = self._places(conversation["id"], query)
            page = windows.page_between(conversation, above=places.get("after"), below=places.get("before"), **place)
        else:
            page = windows.page(conversation["id"], count=count, **place)
        total = min(count, settings.MESSAGE_WINDOW)
        return Response(
            {
                "messages": self._all_shown(page, conversation_id),
                "pagination": {"limit": limit, "offset": offset, "total": total},
            }
        )

    @operation("Get a message", answer=shapes.Message, problems=(404,))
    def retrieve(self, request: Request, conversation_id: str, message_id: str) -> Response:
        return Response(self._shown(conversation_id, message_id))

    @operation("Change a message", body=inputs.MessageChanges, answer=shapes.Message, problems=(404,))
    def update(self, request: Request, conversation_id: str, message_id: str) -> Response:
        changes = self.body()
        pk = self._one(conversation_id, message_id, "pk")["pk"]
        update_message(conversation=self.conversation(conversation_id), message_id=pk, **changes)
        return Response(self._shown(conversation_id, message_id))

    @operation("Delete a message", answer=None, status=204, problems=(404,))
    def destroy(self, request: Request, conversation_id: str, message_id: str) -> Response:
        pk = self._one(conversation_id, message_id, "pk")["pk"]
        delete_message(conversation=self.conversation(conversation_id), message_id=pk, by=self.caller)
        return Response(status=204)

    def _shown(self, conversation_id: str, message_id: str) -> shapes.Message:
        [shown] = self._all_shown([self._one(conversation_id, message_id, *_COLUMNS)], conversation_id)
        return shown

    def _all_shown(self, rows: Sequence[dict[str, Any]], conversation_id: str) -> Sequence[shapes.Message]:
        files = self.attachments_of([row["id"] for row in rows if shapes.needs_files(row)])
        return [shapes.message(row, conversation_id, self.file_url, files.get(row["id"], ())) for row in rows]

    def _one(self, conversation_id: str, message_id: str, *columns: str) -> dict[str, Any]:
        """These values of a message of whatever age."""
        conversation = self.values_of(conversation_id, _COUNTED)
        rows = self.all(Message).counted().of(conversation["id"])
        found: dict[str, Any] | None = rows.filter(uuid=ids.parse("msg", message_id)).values(*columns).first()
        if found is None:
            raise NotFound("Message")
        return found

    def _places(self, conversation: int, query: dict[str, Any]) -> dict[str, int]:
        """The places within the conversation of the messages before and after which a page lies."""
        wanted = {name: ids.parse("msg", query[name]) for name in ("before", "after") if name in query}
        rows = self.all(Message).counted().of(conversation).filter(uuid__in=wanted.values())
        places: dict[UUID, int] = dict(rows.values_list("uuid", "seq"))
        if places.keys() < set(wanted.values()):
            raise NotFound("Message")
        return {name: places[message] for name, message in wanted.items()}

    def _uploads(self, conversation_id: str, type_: str, said: dict[str, Any]) -> Sequence[Upload]:
        """The received, unused file that a media object names; its object then names the upload itself."""
        file_id = said.pop("file_id", None) if type_ in MEDIA else None
        if file_id is None:
            return []
        uuid = ids.parse("file", file_id)
        of_conversation = self.all(Upload).filter(conversation__uuid=ids.parse("conv", conversation_id))
        upload = usable_uploads(of_conversation, [uuid]).get(str(uuid))
        if upload is None:
            self.values_of(conversation_id, _COUNTED)
            raise Invalid("Validation error", fields={f"{type_}.file_id": ["There is no such file."]})
        said |= {"upload": upload.uuid.hex, "filename": upload.file_name}  # one file has one name
        return [upload]
