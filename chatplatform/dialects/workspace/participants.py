from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import uuid
from chatplatform.errors import DomainError, NotFound
from conversations import actions
from conversations.models import Participant
from conversations.visible import Scoped

from ..operations import operation
from . import ids, inputs, own_ids, shapes
from .paging import Page, paged
from .view import View

_ID = Scoped(lambda rows: rows.filter(uuid=uuid("id")).values("id"))


class Participants(View):
    @operation(
        "Add a participant",
        body=inputs.NewParticipant, answer=shapes.Participant, status=201, problems=(404,),
        gives={"participant_id": "/id"},
    )  # fmt: skip
    def create(self, request: Request, conversation_id: str) -> Response:
        given = self.body()
        try:
            [person] = own_ids.persons(self, [given], own_ids.JOINING)
        except DomainError:
            self.values_of(conversation_id, _ID)  # an unknown conversation is told before an unknown person
            raise
        added = actions.add_participant(conversation=self.conversation(conversation_id), person=person, by=self.caller)
        return Response(self._shown(added.pk), status=201)

    @operation("List participants", query=Page, answer=shapes.Participants, problems=(404,))
    def list(self, request: Request, conversation_id: str) -> Response:
        row = self.values_of(conversation_id, _ID)
        rows = self.all(Participant).present().filter(conversation=row["id"]).order_by("id")
        page, pagination = paged(rows.values(*shapes.PARTICIPANT), self.query())
        return Response({"participants": [shapes.participant(person) for person in page], "pagination": pagination})

    @operation("Change a participant", body=inputs.ParticipantChanges, answer=shapes.Participant, problems=(404,))
    def update(self, request: Request, conversation_id: str, participant_id: str) -> Response:
        changed = actions.update_participant(
            conversation=self.conversation(conversation_id),
            participant_id=self._participant(conversation_id, participant_id),
            by=self.caller,
            **self.body(),
        )
        return Response(self._shown(changed.pk))

    @operation("Remove a participant", answer=None, status=204, problems=(404,))
    def destroy(self, request: Request, conversation_id: str, participant_id: str) -> Response:
        actions.remove_participant(
            conversation=self.conversation(conversation_id),
            participant_id=self._participant(conversation_id, participant_id),
            by=self.caller,
        )
        return Response(status=204)

    def _participant(self, conversation_id: str, participant_id: str) -> int:
        row = self.values_of(conversation_id, _ID)
        rows = self.all(Participant).present().filter(conversation=row["id"])
        found: int | None = (
            rows.filter(uuid=ids.parse("participant", participant_id)).values_list("pk", flat=True).first()
        )
        if found is None:
            raise NotFound("Participant")
        return found

    def _shown(self, pk: int) -> shapes.Participant:
        row: dict[str, Any] = self.all(Participant).values(*shapes.PARTICIPANT).get(pk=pk)
        return shapes.participant(row)
