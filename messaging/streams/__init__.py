"""Server-Sent Events: what happens, as it happens, to whoever may see it (docs/events.md)."""

from .response import EventStreamResponse
from .stream import EventStream

__all__ = ["EventStream", "EventStreamResponse"]
