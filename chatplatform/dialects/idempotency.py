"""`Idempotency-Key`: a write that is sent again is done once (contracts, README, "Rules for all five")."""

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_success

from chatplatform.errors import Invalid
from clients.idempotency import Answer, answer_apart, answer_once

if TYPE_CHECKING:
    from .base import DialectView

HEADER = "HTTP_IDEMPOTENCY_KEY"
_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


class _Refused(Exception):
    """An error that the view answered instead of raising it: it must roll back all the same."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def once(view: "DialectView", call: Callable[[], Response]) -> HttpResponseBase:
    """The answer of `call`, or the one that it gave to the first request with this key."""
    key = view.request.META[HEADER]
    if not _KEY.fullmatch(key):
        raise Invalid("Validation error", fields={"Idempotency-Key": ["Must be 1 to 255 visible ASCII characters."]})
    owner = view.key_owner() if view.keeps_answers and not view.operation.secret else None
    if owner is None:
        return call()
    made: list[Response] = []

    def act() -> Answer:
        response = call()
        if not is_success(response.status_code):
            raise _Refused(response)
        made.append(response)
        return Answer(response.status_code, _rendered(view, response))

    named = {"caller": owner, "key": key, "fingerprint": _fingerprint(view.request)}
    try:
        if view.operation.apart:
            answer = answer_apart(**named, act=act)
        else:
            answer = answer_once(**named, transaction=view.transaction(), act=act)
    except _Refused as refused:
        return refused.response
    return made[0] if made else _replayed(answer)


def _fingerprint(request: Request) -> str:
    """Alike for requests that ask the same: the body counts as JSON, not by its bytes."""
    path = request.path.rstrip("/")
    what = f"{request.method} {path}?{request.META.get('QUERY_STRING', '')}\0".encode("utf-8", "surrogatepass")
    return hashlib.sha256(what + orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _rendered(view: "DialectView", response: Response) -> bytes:
    """Here and now, in the transaction: what cannot be written down is not kept either."""
    response.accepted_renderer = view.request.accepted_renderer
    response.accepted_media_type = view.request.accepted_media_type
    response.renderer_context = view.get_renderer_context()  # type: ignore[attr-defined]
    return bytes(response.render().content)


def _replayed(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    if not answer.body:
        del response["Content-Type"]
    return response
