from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.errors import Forbidden
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation

from ..fields import parse_id
from ..operations import operation
from . import inputs, shapes
from .view import View


class Tickets(View):
    @operation("List tickets", query=inputs.TicketList, answer=shapes.Tickets)
    def list(self, request: Request) -> Response:
        query = self.query()
        offset, limit = query["offset"], query["limit"]
        rows = self.all(Conversation).order_by("-id").values("id", "title")[offset : offset + limit]
        return Response({"tickets": [shapes.ticket(row) for row in rows], "limit": limit})

    @operation("Open a ticket", body=inputs.NewTicket, answer=shapes.Ticket, status=201, problems=(403,))
    def create(self, request: Request) -> Response:
        given, caller = self.body(), self.caller
        if caller.client_id is None:
            raise Forbidden("Of no client")
        row = actions.create_conversation(
            client_id=caller.client_id,
            by=caller,
            channel="tickets",
            people=[Person(user_id=caller.user_id)],
            title=given["subject"],
            owner_id=caller.user_id,
        )
        return Response(shapes.ticket({"id": row.pk, "title": row.title}), status=201)

    @operation("A ticket", answer=shapes.Ticket, problems=(404,))
    def retrieve(self, request: Request, ticket_id: str) -> Response:
        rows = self.all(Conversation)
        row = self.find(rows, "Ticket", pk=parse_id(ticket_id))
        return Response(shapes.ticket({"id": row.pk, "title": row.title}))

    @operation("Change a ticket", body=inputs.TicketChanges, answer=shapes.Ticket, problems=(403, 404))
    def update(self, request: Request, ticket_id: str) -> Response:
        given = self.body()
        changes = {"title": given["subject"]} if "subject" in given else {}
        row = actions.update_conversation(conversation=self.ticket(ticket_id), by=self.caller, **changes)
        return Response(shapes.ticket({"id": row.pk, "title": row.title}))

    @operation("Close and forget a ticket", answer=None, status=204, problems=(403, 404))
    def destroy(self, request: Request, ticket_id: str) -> Response:
        actions.delete_conversation(conversation=self.ticket(ticket_id), by=self.caller)
        return Response(status=204)
