"""The format of Server-Sent Events (WHATWG HTML, 9.2.6)."""

#: Milliseconds until a browser comes back.
RETRY = 2000


#: The same where there was no room for one more.
LATER = 10_000


def opening(retry: int = RETRY) -> bytes:
    return b": a stream of events\nretry: %d\n\n" % retry


def frame(name: str, body: str, *, cursor: int | None = None) -> bytes:
    """`body` is one line. Without a cursor the client keeps the one that it has."""
    head = f"id: {cursor}\n" if cursor is not None else ""
    return f"{head}event: {name}\ndata: {body}\n\n".encode()


def heartbeat(cursor: int | None = None) -> bytes:
    """An id without data tells no event; the client remembers it."""
    return b":\n\n" if cursor is None else b":\nid: %d\n\n" % cursor
