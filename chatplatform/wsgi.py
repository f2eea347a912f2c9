"""What the production server calls."""

import io
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

from chatplatform.server.ties import tie_to

# A worker that is still loading has the server's own SIGTERM handler, which in a worker does nothing:
# a stop would wait for it until it is killed. It serves nobody yet, so it may end at once.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
if server := multiprocessing.parent_process():
    tie_to(server.pid or 0)()

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
_django = get_wsgi_application()
_CHUNKED_LIMIT = 2 * 1024 * 1024  # bytes; over what any JSON body may have, so that it is refused as too large
_STREAMED = "/files/"  # reads its body by itself, however long it is


class _WholeBody:
    """A body that ends before its Content-Length says (the caller hung up) is an error, not a short body."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:  # Django never asks for more than is left
        data: bytes = self._stream.read(size)
        if len(data) < size:
            raise OSError("the body ended early")
        return data

    def readline(self, size: int) -> bytes:
        data: bytes = self._stream.readline(size)
        if not data and size:
            raise OSError("the body ended early")
        return data


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django takes a body without Content-Length for an empty one: a chunked body gets its length here."""
    if environ.get("CONTENT_LENGTH"):
        environ["wsgi.input"] = _WholeBody(environ["wsgi.input"])
    elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        if environ.get("PATH_INFO", "").startswith(_STREAMED):
            environ["chatplatform.body"] = environ["wsgi.input"]
            return _django(environ, start_response)
        body = environ["wsgi.input"].read(_CHUNKED_LIMIT)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
    return _django(environ, start_response)
