from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import uuid
from chatplatform.errors import Forbidden, NotFound
from clients.models import User
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation, Participant
from conversations.states import Status
from conversations.visible import Scoped, count_visible

from ..counting import capped_total
from ..fields import parse_uuid
from ..operations import operation
from . import inputs, shapes
from .view import View

_COLUMNS = {"room": "room", "integrationType": "channel", "botId": "bot_id"}
#: Beyond any list; a page of 18 digits has more rows before it than a database can count.
_FURTHEST = 10**18

_NEWEST = Scoped(lambda rows: rows.newest_first().values(*shapes.CONVERSATION), paged=True)
_ONE = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values(*shapes.CONVERSATION))


class Conversations(View):
    @operation(
        "Create a conversation",
        body=inputs.NewConversation, answer=shapes.Written, gives={"conversation_id": "/data/id"},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = self.body()
        owner, client_id = self._owner(given.get("userId"))
        role = Participant.Role.PARTICIPANT if owner.is_staff else Participant.Role.CUSTOMER
        conversation = actions.create_conversation(
            client_id=client_id,
            by=self.caller,
            channel=given["integrationType"],
            people=[Person(user_id=owner.pk, role=role, can_manage=True)],
            status=Status.NEW,
            title=given["room"],
            room=given["room"],
            bot_id=given.get("botId"),
            owner=owner,
        )
        data = shapes.written(conversation)
        return Response({"status": 200, "message": "Conversation created succesfully!!", "data": data})

    @operation("List conversations", query=inputs.ConversationList, answer=shapes.Listed)
    def list(self, request: Request) -> Response:
        query = self.query()
        page, limit = query.pop("page"), query.pop("limit")
        offset = min((page - 1) * limit, _FURTHEST)
        if query:
            rows = self._filtered(**query)
            found = list(rows.newest_first().values(*shapes.CONVERSATION)[offset : offset + limit])
            total = capped_total(
                lambda cap: rows.order_by()[:cap].count(), offset=offset, limit=limit, found=len(found)
            )  # fmt: skip
        else:
            found = _NEWEST.dicts(self.caller, limit=limit, offset=offset)
            total = capped_total(
                lambda cap: count_visible(self.caller, cap=cap), offset=offset, limit=limit, found=len(found)
            )
        data = [shapes.conversation(row) for row in found]
        return Response({"status": 200, "data": data, "pagination": shapes.pagination(page, limit, **total)})

    @operation("Read a conversation", answer=shapes.Found, problems=(400,))
    def retrieve(self, request: Request, conversation_id: str) -> Response:
        found = _ONE.dicts(self.caller, id=self.uuid_of(conversation_id))
        if not found:
            raise NotFound("Conversation")
        return Response({"status": 200, "data": shapes.conversation(found[0])})

    @operation("Change a conversation", body=inputs.ConversationChanges, answer=shapes.Written)
    def update(self, request: Request, conversation_id: str) -> Response:
        target = self.conversation(conversation_id)
        changes = {_COLUMNS[name]: value for name, value in self.body().items()}
        conversation = actions.update_conversation(conversation=target, by=self.caller, **changes)
        data = shapes.written(conversation)
        return Response({"status": 200, "message": "Conversation updated successufully!!", "data": data})

    @operation("Delete a conversation", answer=shapes.Deleted)
    def destroy(self, request: Request, conversation_id: str) -> Response:
        actions.delete_conversation(conversation=self.conversation(conversation_id), by=self.caller)
        return Response({"status": 200, "message": "Conversation deleted Successfuly"})

    def _owner(self, user_id: str | None) -> tuple[User, int]:
        """Whose it is to be, and their client: staff may name any user of it, others themselves."""
        caller = self.caller
        if user_id is None:
            owner: User | None = self.all(User).filter(pk=caller.user_id).first()
        else:
            owner = self._user(user_id)
        if owner is None or owner.client_id is None or not (caller.is_staff or owner.pk == caller.user_id):
            raise Forbidden("Not for this user")
        return owner, owner.client_id

    def _user(self, user_id: str) -> User | None:
        found: User | None = self.all(User).by_own_id(user_id, parse_uuid(user_id))
        return found

    def _filtered(self, userId: str | None = None, botId: str | None = None) -> Any:
        rows = self.all(Conversation)
        if botId is not None:
            rows = rows.filter(bot_id=botId)
        if userId is not None:
            user = self._user(userId)
            if user is None:
                return rows.none()
            rows = rows.filter(owner=user)
        return rows
