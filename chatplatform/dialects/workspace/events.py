from functools import partial

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from clients.callers import Caller
from messaging.streams.voice import Voice

from ..operations import operation
from ..streaming import LAST_EVENT_ID, StreamQuery, open_stream
from ..telling import Words, signals_in
from . import ids, notifications, shapes
from .view import View

_SCOPES = frozenset({"conversations:read", "messages:read"})
_SHORT = Words(
    time=shapes.time,
    conversation=lambda row: {"id": ids.shown("conv", row["uuid"]), "subject": row["title"] or None},
    messages=(),
    message=lambda row, conversation, files: {},
    message_id=lambda row: {},
    participants=(),
    participant=lambda row: {},
    user=lambda row: {"user_id": str(row["uuid"]), "name": row["name"]},
    changed={},
)
#: The bodies of webhooks.
VOICE = Voice("workspace", notifications.render, partial(signals_in, _SHORT))


class Events(View):
    header_parameters = (LAST_EVENT_ID,)
    #: Needed beside `reads`.
    also_reads = ("messages:read",)

    @operation("Follow what happens", answer=str, query=StreamQuery, streams=True)
    def stream(self, request: Request) -> HttpResponseBase:
        return open_stream(self, VOICE, may=_may)


def _may(caller: Caller) -> bool:
    return caller.scopes >= _SCOPES
