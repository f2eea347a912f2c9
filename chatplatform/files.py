"""The addresses that we sign for files on our own disk: bytes in and out, a piece at a time.

They belong to no dialect; what goes wrong is told in the words of `workspace`.
"""

import re
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed

from chatplatform.dialects.problems import problem_of
from chatplatform.dialects.workspace import words
from chatplatform.errors import FileTooLarge, Invalid, TooManyCalls
from messaging.actions import receive_upload
from messaging.files import addresses
from messaging.files.content import endings_of
from messaging.files.names import content_disposition
from messaging.served import ServedFile, announced, served

_CHUNK = 256 * 1024
#: A transfer holds its thread for as long as the other side takes: the rest of a process's threads is for calls.
_places = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))
_RETRY = 5  # seconds
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))", re.ASCII)
#: What programs send by themselves of bytes that they were told no type of.
_UNSAID = ("", "application/octet-stream", "application/x-www-form-urlencoded")
#: Nothing of it is to be run or kept, whoever is led to such an address.
_GUARDS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def signed(request: HttpRequest, file: str) -> HttpResponseBase:
    """`PUT` of an announced file's bytes, `GET` and `HEAD` of a file that a message shows."""
    try:
        match request.method:
            case "PUT":
                response: HttpResponseBase = _take(request, file)
            case "GET" | "HEAD":
                response = _give(request, file)
            case method:
                raise MethodNotAllowed(str(method))
    except Exception as error:  # every one has its answer
        response = _refusal(request, error)
    for name, value in _GUARDS.items():
        response.headers[name] = value
    return response


def _refusal(request: HttpRequest, error: Exception) -> HttpResponse:
    problem = words.restated(problem_of(error))
    if problem.status == 500:
        got_request_exception.send(sender=None, request=request)
    body = orjson.dumps(words.error_body(problem), default=str)
    headers = {**problem.headers, **({"Allow": "GET, HEAD, PUT"} if problem.status == 405 else {})}
    return HttpResponse(body, status=problem.status, content_type="application/json", headers=headers)


def _place(holder: object) -> Callable[[], object]:
    """A place among the transfers; what it answers gives it back, once, as does the end of its holder.

    Raises TooManyCalls where all are taken.
    """
    if not _places.acquire(blocking=False):
        raise TooManyCalls(_RETRY)
    return weakref.finalize(holder, _places.release)


# --- in ---


def _take(request: HttpRequest, file: str) -> HttpResponse:
    upload = announced(addresses.ensure_signed("PUT", file, _given(request)))
    said = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if said not in (*_UNSAID, upload.content_type):
        raise Invalid("Validation error", fields={"content_type": [f"{upload.content_type} was announced."]})
    length = request.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length) > upload.size:
        raise FileTooLarge("The file is larger than announced")
    give_back = _place(upload)
    try:
        receive_upload(upload, _chunks(request))
    finally:
        give_back()
    return HttpResponse(status=204)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    """As they come; a body without a length too (see `chatplatform/wsgi.py`)."""
    stream: Any = request.META.get("chatplatform.body", request)
    while chunk := stream.read(_CHUNK):
        yield chunk


# --- out ---


def _give(request: HttpRequest, file: str) -> HttpResponseBase:
    found = served(addresses.ensure_signed("GET", file, _given(request)))
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": content_disposition(found.name, endings_of(found.content_type)),
        "ETag": f'"{found.sha256}"',
    }
    first, last, status = 0, found.size - 1, 200
    asked = _range(request, found)
    if asked is not None:
        first, last = asked
        if first > last:
            headers["Content-Range"] = f"bytes */{found.size}"
            return HttpResponse(status=416, headers=headers)
        status, headers["Content-Range"] = 206, f"bytes {first}-{last}/{found.size}"
    headers["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers, content_type=found.content_type)
    if last - first < _CHUNK:  # handed over at once, so it holds no thread
        with found.open() as opened:
            opened.seek(first)
            data = opened.read(last - first + 1)
        return HttpResponse(data, status=status, headers=headers, content_type=found.content_type)
    pieces = _Pieces(found, first, last)
    return StreamingHttpResponse(pieces, status=status, headers=headers, content_type=found.content_type)


def _range(request: HttpRequest, found: ServedFile) -> tuple[int, int] | None:
    """The first and last byte that are asked for, the first behind the last where there are none; None: all.

    Several ranges at once, and one of another state of the file, are answered with the whole.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None or request.headers.get("If-Range", f'"{found.sha256}"') != f'"{found.sha256}"':
        return None
    first, last, suffix = (None if part is None else int(part) for part in match.groups())
    if suffix is not None:
        return (max(0, found.size - suffix), found.size - 1) if suffix else (1, 0)
    if last is not None and first is not None and last < first:
        return None  # no range at all (RFC 9110, 14.1.1)
    end = found.size - 1 if last is None else min(last, found.size - 1)
    return (first, end) if first is not None and first < found.size else (1, 0)


class _Pieces:
    """Of a file, from the first byte to the last; closed with the response, read to its end or not."""

    def __init__(self, found: ServedFile, first: int, last: int) -> None:
        self._give_back = _place(self)
        self._file, self._left = found.open(), last - first + 1
        self._file.seek(first)

    def __iter__(self) -> "_Pieces":
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(min(_CHUNK, self._left)) if self._left > 0 else b""
        if not chunk:
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()
        self._give_back()


def _given(request: HttpRequest) -> dict[str, list[str]]:
    return {name: [str(value) for value in values] for name, values in request.GET.lists()}
