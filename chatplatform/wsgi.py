"""What the production server calls."""

import io
import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

# A worker that is still loading has the server's own SIGTERM handler, which in a worker does nothing:
# a stop would wait for it until it is killed. It serves nobody yet, so it may end at once.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

from django.core.wsgi import get_wsgi_application  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
_django = get_wsgi_application()
_CHUNKED_LIMIT = 2 * 1024 * 1024  # bytes; over what any JSON body may have, so that it is refused as too large


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django takes a body without Content-Length for an empty one: a chunked body gets its length here."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(_CHUNKED_LIMIT)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
    return _django(environ, start_response)
