from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from analytics.conversations import metrics
from chatplatform.db.prepared import uuid
from chatplatform.text import fold
from clients.models import Agent, Contact
from conversations import actions
from conversations.models import Conversation, ConversationTag, Participant, Tag
from conversations.visible import Scoped, count_visible

from ..operations import operation
from . import inputs, own_ids, shapes
from .paging import paged, pagination
from .view import View

_LATEST = Scoped(lambda rows: rows.by_activity().values(*shapes.LISTED), paged=True)
_ONE = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values(*shapes.CONVERSATION))
_MEASURED = Scoped(
    lambda rows: rows.filter(uuid=uuid("id")).values(
        "id", "status", "status_changed_at", "created_at", "last_message_at", "message_count", "participant_count"
    )
)
_PLAIN = {"limit", "offset", "order"}


class Conversations(View):
    @operation(
        "Create a conversation",
        body=inputs.NewConversation, answer=shapes.Conversation, status=201, gives={"conversation_id": "/id"},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = self.body()
        assert self.caller.client_id is not None  # noqa: S101 - a token is a client's
        row = actions.create_conversation(
            client_id=self.caller.client_id,
            by=self.caller,
            channel=given["channel"],
            people=own_ids.persons(self, given["participants"], own_ids.FIRST, "participants"),
            tags=given.get("tags", ()),
            title=_title(given.get("subject")),
            metadata=given.get("metadata", {}),
        )
        return Response(self._shown(row), status=201)

    @operation("List conversations", query=inputs.ConversationList, answer=shapes.Conversations)
    def list(self, request: Request) -> Response:
        query = self.query()
        if query.keys() <= _PLAIN and query["order"] == "desc":
            found = _LATEST.dicts(self.caller, limit=query["limit"] + 1, offset=query["offset"])
            page, about = pagination(found, query, lambda cap: count_visible(self.caller, cap=cap))
        else:
            rows = self._filtered(query).by_activity(ascending=query["order"] == "asc")
            page, about = paged(rows.values(*shapes.LISTED), query)
        return Response({"conversations": [shapes.listed_conversation(row) for row in page], "pagination": about})

    @operation("Get a conversation", answer=shapes.Conversation, problems=(404,))
    def retrieve(self, request: Request, conversation_id: str) -> Response:
        return Response(self._whole(self.values_of(conversation_id, _ONE)))

    @operation("Change a conversation", body=inputs.ConversationChanges, answer=shapes.Conversation, problems=(404,))
    def update(self, request: Request, conversation_id: str) -> Response:
        changes = self.body()
        if "subject" in changes:
            changes["title"] = _title(changes.pop("subject"))
        if "tags" in changes:
            changes["tags"] = changes["tags"] or []
        row = actions.update_conversation(conversation=self.conversation(conversation_id), by=self.caller, **changes)
        return Response(self._shown(row))

    @operation("Delete a conversation", answer=None, status=204, problems=(404,))
    def destroy(self, request: Request, conversation_id: str) -> Response:
        actions.delete_conversation(conversation=self.conversation(conversation_id), by=self.caller)
        return Response(status=204)

    @operation("Get a conversation's figures", answer=shapes.Metrics, problems=(404,))
    def metrics(self, request: Request, conversation_id: str) -> Response:
        return Response(metrics(self.values_of(conversation_id, _MEASURED)))

    def _filtered(self, query: dict[str, Any]) -> Any:
        rows = self.all(Conversation)
        for kind, model in (("contact", Contact), ("agent", Agent)):
            if own_id := query.get(f"{kind}_id"):
                found = self.all(model).filter(**{f"{kind}_id": own_id}).values_list("pk", flat=True).first()
                rows = rows.of_participant(**{kind: found}) if found is not None else rows.none()
        rows = rows.filter(**{name: query[name] for name in ("status", "channel") if name in query})
        if "tag" in query:
            folded = fold(" ".join(query["tag"].split()))
            tag = self.all(Tag).filter(folded=folded).values_list("pk", flat=True).first()
            rows = rows.tagged(tag) if tag is not None else rows.none()
        if "subject" in query:
            rows = rows.titled(query["subject"])
        return rows.made(since=query.get("created_after"), before=query.get("created_before"))

    def _shown(self, row: Conversation) -> shapes.Conversation:
        return self._whole({name: getattr(row, name) for name in shapes.CONVERSATION})

    def _whole(self, row: dict[str, Any]) -> shapes.Conversation:
        people = self.all(Participant).present().filter(conversation=row["id"]).order_by("id")
        tags = self.all(ConversationTag).filter(conversation=row["id"]).order_by("id")
        return shapes.conversation(row, people.values(*shapes.PARTICIPANT), tags.values_list("tag__name", flat=True))


def _title(subject: str | None) -> str:
    """A blank subject is none."""
    return subject if subject and subject.strip() else ""
