"""What a provider's name resolves to, in no more time than a call has.

The system's look-up cannot be given up once it was begun: it has a thread, which whoever waits for it leaves behind.
"""

import socket
import threading
import time
from concurrent.futures import Future

import httpcore2

#: Look-ups at the same time; beyond that a call waits for its turn, in its own time.
_places = threading.BoundedSemaphore(32)


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """Its addresses, in the system's order. Raises httpcore2.ConnectTimeout, httpcore2.ConnectError."""
    end = time.monotonic() + seconds
    places = _places
    if not places.acquire(timeout=seconds):
        raise httpcore2.ConnectTimeout("too many look-ups of names at the same time")
    found: Future[list[str]] = Future()
    threading.Thread(target=_look, args=(host, port, found, places), name="provider-name", daemon=True).start()
    try:
        return found.result(max(end - time.monotonic(), 0))
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout("the name was not resolved in time") from error
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError("the name does not resolve") from error


def _look(host: str, port: int, found: Future[list[str]], places: threading.BoundedSemaphore) -> None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.set_result(list(dict.fromkeys(str(where[0]) for *_, where in infos)))
    except Exception as error:
        found.set_exception(error)
    finally:
        places.release()
