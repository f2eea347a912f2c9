"""The product's addresses, and `/endless`: an answer with a stream of events that says one thing and stays."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path

from chatplatform import urls

_open: list[None] = []


class Endless:
    async def frames(self) -> AsyncIterator[bytes]:
        _open.append(None)
        try:
            yield b"data: begun\n\n"
            await asyncio.Event().wait()
        finally:
            _open.pop()


class Answer(StreamingHttpResponse):
    def __init__(self) -> None:
        super().__init__(self._never(), content_type="text/event-stream")
        self.event_stream = Endless()

    def _never(self) -> Iterator[bytes]:
        raise AssertionError("a thread iterates it")
        yield b""


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return Answer()


def count(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"open": len(_open)})


urlpatterns = [path("endless", endless), path("endless/open", count), *urls.urlpatterns]
handler404 = urls.handler404
