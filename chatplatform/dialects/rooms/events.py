from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from messaging.event_rows import PARTICIPANT_NAMES, participant_name
from messaging.text import plain_text

from ..operations import operation
from ..streaming import LAST_EVENT_ID, StreamQuery, open_stream
from ..telling import Words, voice_of
from . import shapes
from .view import View


def _user_id(row: Any, prefix: str) -> str | None:
    own = row[f"{prefix}external_id"] or row[f"{prefix}uuid"]
    return None if own is None else str(own)


def _message(row: Any, conversation: Any, files: Any) -> dict[str, Any]:
    return {
        "id": str(row["uuid"]),
        "text": plain_text(row["type"], row["text"], row["content"]),
        "type": row["type"],
        "userId": _user_id(row, "sender_user__"),
        "name": row["sender_name"],
        "createdAt": shapes.time(row["created_at"]),
    }


def _participant(row: Any) -> dict[str, Any]:
    return {"userId": _user_id(row, "user__"), "name": participant_name(row), "role": row["role"]}


VOICE = voice_of(
    "rooms",
    Words(
        time=shapes.time,
        conversation=lambda row: {"id": str(row["uuid"])},
        messages=(
            "type", "text", "content", "sender_user__external_id", "sender_user__uuid", "sender_name", "created_at",
        ),
        message=_message,
        message_id=lambda row: {"id": str(row["uuid"])},
        participants=("user__external_id", "user__uuid", *PARTICIPANT_NAMES, "role"),
        participant=_participant,
        user=lambda row: {"userId": _user_id(row, ""), "name": row["name"]},
        changed={"room": "room", "channel": "integrationType", "bot_id": "botId"},
    ),
)  # fmt: skip


class Events(View):
    header_parameters = (LAST_EVENT_ID,)

    @operation("Follow what happens", answer=str, query=StreamQuery, streams=True)
    def stream(self, request: Request) -> HttpResponseBase:
        return open_stream(self, VOICE)
