from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import integer
from chatplatform.errors import Forbidden
from chatplatform.text import fold
from clients.models import Agent
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation, Participant
from conversations.visible import Scoped, count_visible

from ..counting import capped_total
from ..operations import operation
from . import inputs, shapes
from .view import View

_COLUMNS = {
    "created_at": "created_at",
    "title": "title_folded",
    "total_messages": "message_count",
    "last_message_at": "activity_at",
}
_FILTERS = {
    "status": "status",
    "agent_id": "assigned_agent_id",
    "conversation_type": "kind",
    "is_archived": "is_archived",
    "is_pinned": "is_pinned",
}


def _columns(rows: Any) -> tuple[str, ...]:
    """Whoever sees them as one who takes part has an unread figure of their own."""
    return (*shapes.CONVERSATION, "participants__unread_count") if rows.through_participant else shapes.CONVERSATION


_LATEST = Scoped(lambda rows: rows.by_activity(pinned_first=True).values(*_columns(rows)), paged=True)
_ONE = Scoped(lambda rows: rows.filter(pk=integer("id")).values(*_columns(rows)))


class Conversations(View):
    @operation("List conversations", query=inputs.ConversationList, answer=shapes.ConversationsFound)
    def list(self, request: Request) -> Response:
        query = self.query()
        limit, offset = query["limit"], query["offset"]
        if query.keys() == {"limit", "offset"}:
            page = _LATEST.dicts(self.caller, limit=limit, offset=offset)
            total = capped_total(
                lambda cap: count_visible(self.caller, cap=cap), offset=offset, limit=limit, found=len(page)
            )
        else:
            rows = self._filtered(query)
            page = list(_ordered(rows, query.get("ordering"))[offset : offset + limit].values(*_columns(rows)))
            total = capped_total(lambda cap: rows.order_by()[:cap].count(), offset=offset, limit=limit, found=len(page))
        data = {
            "conversations": [shapes.conversation(row, self.caller) for row in page],
            **total,
            "limit": limit,
            "offset": offset,
        }
        return self.ok(f"Found {total['total']} conversations", data)

    @operation(
        "Create a conversation",
        body=inputs.NewConversation, answer=shapes.ConversationWritten, problems=(403, 404),
        gives={"conversation_id": "/data/conversation_id"},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = self.body()
        caller = self.caller
        if caller.client_id is None:
            raise Forbidden("A superuser belongs to no client and cannot own a conversation")
        agent = self._agent(given.get("agent_id"))
        role = Participant.Role.CUSTOMER if caller.is_customer else Participant.Role.PARTICIPANT
        people = [Person(user_id=caller.user_id, role=role, can_manage=True)]
        if agent is not None:
            people.append(Person(agent_id=agent.pk, role=Participant.Role.AGENT))
        conversation = actions.create_conversation(
            client_id=caller.client_id,
            by=caller,
            channel="website",
            people=people,
            title=given["title"],
            kind=given["conversation_type"],
            owner_id=caller.user_id,
            assigned_agent=agent,
        )
        return self.ok("Conversation created successfully", {"conversation_id": conversation.pk})

    @operation("Get a conversation", answer=shapes.ConversationFound, problems=(404,))
    def retrieve(self, request: Request, conversation_id: str) -> Response:
        row = self.values_of(conversation_id, _ONE)
        return self.ok("Conversation found", shapes.conversation_details(row, self.caller))

    @operation(
        "Change a conversation", body=inputs.ConversationChanges, answer=shapes.ConversationWritten, problems=(403, 404)
    )
    def update(self, request: Request, conversation_id: str) -> Response:
        target = self.conversation(conversation_id)
        given = self.body()
        if "agent_id" in given:
            given["assigned_agent"] = self._agent(given.pop("agent_id"))
        if "conversation_type" in given:
            given["kind"] = given.pop("conversation_type")
        conversation = actions.update_conversation(conversation=target, by=self.caller, **given)
        return self.ok("Conversation updated successfully", {"conversation_id": conversation.pk})

    @operation("Delete a conversation", answer=shapes.ConversationWritten, problems=(403, 404))
    def destroy(self, request: Request, conversation_id: str) -> Response:
        actions.delete_conversation(conversation=self.conversation(conversation_id), by=self.caller)
        return self.ok("Conversation deleted successfully", {"conversation_id": int(conversation_id)})

    @operation("Mark a conversation as read", answer=shapes.ConversationRead, problems=(404,))
    def read(self, request: Request, conversation_id: str) -> Response:
        conversation = actions.mark_read(conversation=self.conversation(conversation_id), by=self.caller)
        return self.ok("Conversation marked as read", {"conversation_id": conversation.pk, "unread_count": 0})

    def _filtered(self, query: dict[str, Any]) -> Any:
        rows = self.all(Conversation).filter(**{_FILTERS[name]: query[name] for name in _FILTERS if name in query})
        if "search" in query:
            rows = rows.filter(title_folded__contains=fold(query["search"]))
        return rows

    def _agent(self, agent_id: int | None) -> Agent | None:
        if agent_id is None:
            return None
        agent: Agent = self.find(self.all(Agent).assignable(), "Agent", pk=agent_id)
        return agent


def _ordered(rows: Any, ordering: str | None) -> Any:
    if ordering is None:
        return rows.by_activity(pinned_first=True)
    descending = ordering.startswith("-")
    column = ordering.removeprefix("-")
    if column == "last_message_at":
        return rows.by_activity(ascending=not descending)
    sign = "-" if descending else ""
    return rows.order_by(f"{sign}{_COLUMNS[column]}", f"{sign}id")
