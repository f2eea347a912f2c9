from dataclasses import replace
from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import uuid
from clients.callers import Caller
from clients.tickets import issue_ticket
from conversations.visible import Scoped
from messaging.event_rows import PARTICIPANT_NAMES, participant_name
from messaging.streams.signals import tell_presence, tell_typing

from ..credentials import Again, Ticket, bearer_token
from ..operations import operation
from ..streaming import LAST_EVENT_ID, TicketQuery, open_stream
from ..telling import Words, voice_of
from . import shapes
from .inputs import OwnPresence, OwnTyping
from .view import KEY, KeyAndToken, View

_STATE = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values("id", "status"))


def _participant(row: Any) -> dict[str, Any]:
    return {
        "uuid": str(row["user__uuid"]) if row["user__uuid"] else None,
        "name": participant_name(row),
    }


VOICE = voice_of(
    "platform",
    Words(
        time=shapes.time,
        conversation=lambda row: {"uuid": str(row["uuid"])},
        messages=shapes.MESSAGE,
        message=lambda row, conversation, files: shapes.message(row, str(conversation["uuid"]), files),
        message_id=lambda row: {"uuid": str(row["uuid"])},
        participants=("user__uuid", *PARTICIPANT_NAMES),
        participant=_participant,
        user=lambda row: {"uuid": str(row["uuid"]), "name": row["name"]},
        changed={"is_archived": "is_archived"},
    ),
)


class OwnTicket(Ticket):
    """Of a call that showed the key; what it opens shows what the caller takes part in, as any call here."""

    dialect = "platform"

    def authenticate(self, request: Request) -> tuple[Caller, Again] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        caller, again = found
        return replace(caller, only_own=True), partial(_only_own, again)


def _only_own(again: Again) -> Caller:
    return replace(again(), only_own=True)


class Events(View):
    authentication_classes = [OwnTicket, KeyAndToken]
    header_parameters = ({**KEY, "required": False}, LAST_EVENT_ID)

    @operation("Follow events", answer=str, query=TicketQuery, streams=True)
    def stream(self, request: Request) -> HttpResponseBase:
        return open_stream(self, VOICE)


class Tickets(View):
    @operation("Create ticket", answer=shapes.TicketIssued, secret=True)
    def create(self, request: Request) -> Response:
        ticket, expires_at = issue_ticket(bearer_token(request) or "", dialect=OwnTicket.dialect)
        data: shapes.Ticket = {"ticket": ticket, "expires_at": shapes.time(expires_at)}
        return Response({"message": "Ticket created successfully", "data": data})


class Presence(View):
    """What nobody keeps."""

    @operation("Tell typing", body=OwnTyping, answer=shapes.TypingTold, problems=(404,))
    def type(self, request: Request, conversation_id: str) -> Response:
        row = self.values_of(conversation_id, _STATE)
        typing = self.body()["typing"]
        tell_typing(conversation_id=row["id"], status=row["status"], by=self.caller, typing=typing)
        return Response({"message": "Typing told", "data": {"typing": typing}})

    @operation("Tell presence", body=OwnPresence, answer=shapes.PresenceTold)
    def tell(self, request: Request) -> Response:
        status = self.body()["status"]
        tell_presence(by=self.caller, status=status)
        return Response({"message": "Presence told", "data": {"status": status}})
