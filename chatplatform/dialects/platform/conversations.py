from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import uuid
from chatplatform.errors import Invalid
from clients.models import User
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation
from conversations.participants import users_of
from conversations.visible import Scoped
from messaging.windows import last_texts

from ..counting import capped_total
from ..operations import operation
from . import inputs, paging, shapes
from .view import View
from .words import SELECTED

_TAGGABLE = {"taggable_type", "taggable_id"}
_LATEST = Scoped(lambda rows: rows.filter(is_archived=False).by_activity().values(*shapes.CONVERSATION), paged=True)
_ONE = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values(*shapes.CONVERSATION))
_READ_AT = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values("participants__last_read_at"))


class Conversations(View):
    @operation("List conversations", query=inputs.ConversationList, answer=shapes.ConversationPage, problems=(422,))
    def list(self, request: Request) -> Response:
        query = self.query()
        offset, limit = paging.offset_of(query), query["per_page"]
        rows = self._filtered(query)
        if query["archived"] is False and not query.keys() & _TAGGABLE:
            found = _LATEST.dicts(self.caller, limit=limit + 1, offset=offset)
        else:
            found = list(rows.by_activity()[offset : offset + limit + 1].values(*shapes.CONVERSATION))
        total = capped_total(
            lambda cap: rows.order_by()[:cap].count(), offset=offset, limit=limit + 1, found=len(found)
        )
        page = found[:limit]
        links, meta = paging.placed(request, query, shown=len(page), more=len(found) > limit, total=total)
        return Response({"data": _shown(page), "links": links, "meta": meta})

    @operation(
        "Create conversation",
        body=inputs.NewConversation, answer=shapes.ConversationWritten, status=201,
        gives={"conversation_id": "/data/uuid"},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = self.body()
        caller = self.caller
        other = self._other_user(given["participant_uuid"])
        conversation = actions.create_conversation(
            client_id=caller.client_id,  # type: ignore[arg-type]  # its key is a client's
            by=caller,
            channel="platform",
            people=[Person(user_id=caller.user_id, can_manage=True), Person(user_id=other.pk)],
            owner_id=caller.user_id,
            taggable_type=given.get("taggable_type"),
            taggable_id=given.get("taggable_id"),
        )
        return self._written("Conversation created successfully", conversation, status=201)

    @operation("Show conversation", answer=shapes.ConversationFound, problems=(404,))
    def retrieve(self, request: Request, conversation_id: str) -> Response:
        [data] = _shown([self.values_of(conversation_id, _ONE)])
        return Response({"data": data})

    @operation(
        "Update conversation", body=inputs.ConversationChanges, answer=shapes.ConversationWritten, problems=(404,)
    )
    def update(self, request: Request, conversation_id: str) -> Response:
        given = self.body()
        conversation = actions.update_conversation(
            conversation=self.conversation(conversation_id), by=self.caller, is_archived=given["is_archived"]
        )
        return self._written("Conversation updated successfully", conversation)

    @operation("Mark conversation as read", answer=shapes.ConversationRead, problems=(404,))
    def read(self, request: Request, conversation_id: str) -> Response:
        actions.mark_read(conversation=self.conversation(conversation_id), by=self.caller)
        at = self.values_of(conversation_id, _READ_AT)["participants__last_read_at"]
        data = {"unread_count": 0, "last_read_at": shapes.time(at)}
        return Response({"message": "Conversation marked as read", "data": data})

    def _filtered(self, query: dict[str, Any]) -> Any:
        rows = self.all(Conversation).filter(**{name: query[name] for name in _TAGGABLE if name in query})
        return rows if query["archived"] is None else rows.filter(is_archived=query["archived"])

    def _other_user(self, user_uuid: str) -> User:
        """Whom the caller talks to; unknown, another client's, inactive and the caller are one answer."""
        others = self.all(User).active().exclude(pk=self.caller.user_id)
        user: User | None = others.filter(uuid=user_uuid).first()
        if user is None:
            raise Invalid("Validation error", fields={"participant_uuid": [SELECTED]})
        return user

    def _written(self, message: str, conversation: Conversation, *, status: int = 200) -> Response:
        [data] = _shown([{name: getattr(conversation, name) for name in shapes.CONVERSATION}])
        return Response({"message": message, "data": data}, status=status)


def _shown(rows: list[dict[str, Any]]) -> list[shapes.Conversation]:
    people, texts = users_of([row["id"] for row in rows]), last_texts(rows)
    whole = [{**row, "last_message_text": texts.get(row["id"], row["last_message_text"])} for row in rows]
    return [shapes.conversation(row, people[row["id"]]) for row in whole]
