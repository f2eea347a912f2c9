"""The admin's own stream of events: what staff see, private notes too (docs/events.md)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from chatplatform.errors import TooManyCalls
from clients.callers import Caller
from clients.credentials import BadCredential
from conversations.events import NAMES_ACTOR
from conversations.feed import Told
from messaging.event_rows import PARTICIPANT_NAMES, participant_name, people_of, rows_of
from messaging.streams import EventStream, EventStreamResponse
from messaging.streams.signals import Signal
from messaging.streams.voice import Voice
from messaging.text import plain_text

from .scoping import caller_of

_MESSAGE = ("id", "seq", "type", "text", "content", "sender_name", "is_customer", "created_at")
_PARTICIPANT = (*PARTICIPANT_NAMES, "role")


def _events(events: Sequence[Told]) -> dict[int, str]:
    rows = rows_of(events, message=_MESSAGE, participant=_PARTICIPANT)
    bodies = {}
    for event in events:
        conversation, data = rows.conversations.get(event["conversation_id"]), event["data"]
        message = rows.messages.get(UUID(data["message"])) if "message" in data else None
        person = rows.participants.get(UUID(data["participant"])) if "participant" in data else None
        if conversation is None or (message is not None and message["visibility"] == "held"):
            continue
        body: dict[str, Any] = {
            "event": event["kind"],
            "timestamp": event["created_at"],
            "conversation": {"id": conversation["id"], "title": conversation["title"]},
        }
        if message is not None:
            body["message"] = _message(message)
        if person is not None:
            body["participant"] = {"name": participant_name(person), "role": person["role"]}
        if "changes" in data:
            body["changes"] = data["changes"]
        if event["kind"] in NAMES_ACTOR:
            body["by"] = data.get("by") or None
        bodies[event["id"]] = orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()
    return bodies


def _message(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["deleted_at"] is not None:
        return {"id": row["id"], "deleted": True}
    return {
        "id": row["id"],
        "seq": row["seq"],
        "type": row["type"],
        "text": plain_text(row["type"], row["text"], row["content"]),
        "sender": row["sender_name"],
        "is_customer": row["is_customer"],
        "private": row["visibility"] == "private",
        "created_at": row["created_at"],
    }


def _signals(signals: Sequence[Signal]) -> list[str | None]:
    users, conversations = people_of(
        {signal.user_id for signal in signals}, {s.conversation_id for s in signals if s.conversation_id}
    )
    said: list[str | None] = []
    for signal in signals:
        user = users.get(signal.user_id)
        body: dict[str, Any] = {"event": signal.kind, "user": user and {"id": user["id"], "name": user["name"]}}
        if signal.conversation_id is not None:
            conversation = conversations.get(signal.conversation_id)
            body["conversation"] = conversation and {"id": conversation["id"], "title": conversation["title"]}
            body["typing"] = signal.value == "on"
        else:
            body["status"] = signal.value
        said.append(orjson.dumps(body).decode() if user else None)
    return said


VOICE = Voice("admin", _events, _signals, notes=True)


@require_safe
def events(request: HttpRequest) -> HttpResponseBase:
    if not admin.site.has_permission(request):
        return JsonResponse({"detail": "Log in first"}, status=403)
    if request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream")
    key = request.session.session_key or ""
    cursor = request.headers.get("Last-Event-ID") or request.GET.get("last_event_id") or None
    try:
        return EventStreamResponse(EventStream(VOICE, caller_of(request), partial(_again, key), cursor))
    except TooManyCalls as error:
        return JsonResponse({"detail": error.message}, status=429, headers={"Retry-After": str(error.wait)})


def _again(session_key: str) -> Caller:
    """Whose the session is now; it may have ended, with a log-out or a new password."""
    request = HttpRequest()
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(session_key)
    request.user = get_user(request)  # type: ignore[assignment]
    if not admin.site.has_permission(request):
        raise BadCredential
    return caller_of(request)
