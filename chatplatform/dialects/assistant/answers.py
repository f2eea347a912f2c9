"""Call 6: an answer by an AI agent, whole or as it is made."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform.db.prepared import integer
from chatplatform.errors import DomainError, Invalid
from clients.models import Agent
from conversations.models import Conversation
from conversations.visible import Scoped
from messaging.bots import asking
from messaging.bots.streamed import Piece, Said, Streamed
from messaging.bots.threads import place, take_place
from messaging.models import Message

from ..idempotency import HEADER
from ..operations import operation
from ..problems import Problem, problem_of
from ..streaming import MEDIA, wants_stream
from . import ai_shapes, inputs
from .view import View

_ONE = Scoped(lambda rows: rows.filter(pk=integer("id")).values("id", "client_id"))
_DONE = "AI response generated"


class AIResponses(View):
    @operation(
        "Have an AI agent answer",
        body=inputs.NewQuestion, answer=ai_shapes.AIResponseGenerated, problems=(403, 404, 502, 504), apart=True,
        also_streams=True,
    )  # fmt: skip
    def create(self, request: Request, conversation_id: str) -> HttpResponseBase:
        given = self.body()
        row = self.values_of(conversation_id, _ONE)
        agent = self._agent(given.get("agent_id"), row)
        asked: dict[str, Any] = {
            "conversation": self.conversation(conversation_id),
            "agent": agent,
            "by": self.caller,
            "text": given["message"],
            "with_history": given["include_context"],
        }
        if wants_stream(request) and HEADER not in request.META:  # what is kept is kept whole
            return self._streamed(agent, asked)
        with place(agent):
            return self._answered(asking.respond(asking.begin(**asked)))

    def restate(self, problem: Problem) -> Problem:
        if problem.code == "message_size":
            return Problem(400, "invalid", problem.message, fields={"message": [problem.message]})
        return super().restate(problem)

    def _answered(self, answer: Message) -> Response:
        return self.ok(_DONE, ai_shapes.ai_response(answer))

    def _streamed(self, agent: Agent, asked: dict[str, Any]) -> HttpResponseBase:
        taken = take_place(agent)
        try:
            said = Streamed(asking.begin(**asked), taken)
        except BaseException:
            taken.give_back()
            raise
        return AnswerStream(self, said)

    def _agent(self, agent_id: int | None, row: dict[str, Any]) -> Agent:
        """Raises NotFound; Invalid where a person is named."""
        if agent_id is None:
            return asking.agent_for(self.find(self.all(Conversation), "Conversation", pk=row["id"]))
        agents = self.all(Agent).for_client(row["client_id"]).assignable()
        agent: Agent = self.find(agents, "Agent", pk=agent_id)
        if agent.kind != Agent.Kind.AI:
            raise Invalid("Validation error", fields={"agent_id": ["Must be an AI agent."]})
        return agent


class AnswerStream(StreamingHttpResponse):
    """`delta` with the next words, then `done` with what the call answers without a stream, or `error`."""

    def __init__(self, view: AIResponses, said: Streamed) -> None:
        super().__init__(_Frames(view, said), content_type=MEDIA)
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # nginx would keep words back


class _Frames:
    def __init__(self, view: AIResponses, said: Streamed) -> None:
        self._view, self._said = view, said

    def __iter__(self) -> Iterator[bytes]:
        return map(self._frame, self._said)

    def close(self) -> None:
        self._said.close()

    def _frame(self, said: Said) -> bytes:
        if isinstance(said, Piece):
            return _event("delta", {"text": said.text})
        if isinstance(said, DomainError):
            return _event("error", self._view.error_body(self._view.restate(problem_of(said))))
        return _event("done", {"success": True, "message": _DONE, "data": ai_shapes.ai_response(said)})


def _event(name: str, body: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(body))
