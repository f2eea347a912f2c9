from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import integer
from clients.tickets import issue_ticket
from conversations.visible import Scoped
from messaging.event_rows import PARTICIPANT_NAMES, participant_name
from messaging.streams.signals import tell_presence, tell_typing

from ..credentials import Ticket, UserToken, bearer_token
from ..operations import operation
from ..streaming import LAST_EVENT_ID, PresenceStatus, TicketQuery, Typing, open_stream
from ..telling import Words, voice_of
from . import shapes
from .view import View

_STATE = Scoped(lambda rows: rows.filter(pk=integer("id")).values("id", "status"))


def _participant(row: Any) -> dict[str, Any]:
    return {
        "user_id": row["user_id"],
        "agent_id": row["agent_id"],
        "name": participant_name(row),
        "role": row["role"],
    }


VOICE = voice_of(
    "assistant",
    Words(
        time=shapes.time,
        conversation=lambda row: {"id": row["id"], "title": row["title"]},
        messages=shapes.MESSAGE,
        message=lambda row, conversation, files: shapes.message(dict(row), files),
        message_id=lambda row: {"id": row["id"]},
        participants=("user_id", "agent_id", *PARTICIPANT_NAMES, "role"),
        participant=_participant,
        user=lambda row: {"user_id": row["id"], "name": row["name"]},
        changed={
            "title": "title", "status": "status", "kind": "conversation_type", "assigned_agent": "agent_id",
            "is_archived": "is_archived", "is_pinned": "is_pinned",
        },
        message_changed={"status": "status"},
        numbers_agents=True,
    ),
)  # fmt: skip


class OwnTicket(Ticket):
    dialect = "assistant"


class Events(View):
    authentication_classes = [OwnTicket, UserToken]
    header_parameters = (LAST_EVENT_ID,)

    @operation("Follow what happens", answer=str, query=TicketQuery, streams=True)
    def stream(self, request: Request) -> HttpResponseBase:
        return open_stream(self, VOICE)


class Tickets(View):
    @operation("Get a ticket for the stream", answer=shapes.TicketIssued, secret=True)
    def create(self, request: Request) -> Response:
        ticket, expires_at = issue_ticket(bearer_token(request) or "", dialect=OwnTicket.dialect)
        return self.ok("Ticket created successfully", {"ticket": ticket, "expires_at": shapes.time(expires_at)})


class Presence(View):
    """What nobody keeps."""

    @operation("Tell that the caller writes", body=Typing, answer=shapes.TypingTold, problems=(404,))
    def type(self, request: Request, conversation_id: str) -> Response:
        row = self.values_of(conversation_id, _STATE)
        typing = self.body()["typing"]
        tell_typing(conversation_id=row["id"], status=row["status"], by=self.caller, typing=typing)
        return self.ok("Typing told", {"conversation_id": row["id"], "typing": typing})

    @operation("Tell whether the caller is there", body=PresenceStatus, answer=shapes.PresenceTold)
    def tell(self, request: Request) -> Response:
        status = self.body()["status"]
        tell_presence(by=self.caller, status=status)
        return self.ok("Presence told", {"status": status})
