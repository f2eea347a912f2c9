"""A call that opens a stream of events: everything before its first byte is as in any other call."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from chatplatform.errors import Forbidden
from clients.callers import Caller
from clients.credentials import BadCredential
from messaging.streams import EventStream, EventStreamResponse
from messaging.streams.signals import PRESENCE
from messaging.streams.voice import Voice

from .fields import Boolean, Choice, Input, Query

if TYPE_CHECKING:
    from .base import DialectView

MEDIA = "text/event-stream"
#: What a browser says by itself when it comes back.
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that was seen: what was missed since comes first.",
    "schema": {"type": "string"},
}


class Opaque(serializers.Field):
    """Whatever is given: what it is no good for is said in the stream."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def to_internal_value(self, data: Any) -> str:
        return str(data)


class StreamQuery(Query):
    last_event_id = Opaque(required=False, help_text="As the header, for the first call of a page.")


class TicketQuery(StreamQuery):
    ticket = Opaque(required=False, help_text="In place of a header, where none can be sent; good once, for 30 s.")


class Typing(Input):
    may_be_absent = True
    example: ClassVar = {"typing": True}

    typing = Boolean(default=True)


class PresenceStatus(Input):
    may_be_absent = True
    example: ClassVar = {"status": "online"}

    status = Choice(choices=PRESENCE, default="online")


def wants_stream(request: Request) -> bool:
    """Of a call that also answers without one: only where it is named and preferred, `*/*` does not."""
    preferred: str | None = request.get_preferred_type(["application/json", MEDIA])
    return preferred == MEDIA


def open_stream(
    view: "DialectView", voice: Voice, *, may: Callable[[Caller], bool] = lambda caller: True
) -> HttpResponseBase:
    """`may`: whether a caller may follow here at all; asked again for as long as the stream lasts. Raises
    Forbidden."""
    caller, request = view.caller, view.request
    if not may(caller):
        raise Forbidden("Not for this caller")
    if request.method == "HEAD":
        return HttpResponse(content_type=MEDIA)
    cursor = request.headers.get("Last-Event-ID") or request.query_params.get("last_event_id") or None
    again = partial(_again, request.auth, may)  # type: ignore[arg-type]
    return EventStreamResponse(EventStream(voice, caller, again, cursor))


def _again(again: Callable[[], Caller], may: Callable[[Caller], bool]) -> Caller:
    caller = again()
    if not may(caller):
        raise BadCredential
    return caller
