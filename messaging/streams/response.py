"""An answer that goes on: the stream of one subscriber."""

from django.http import StreamingHttpResponse

from .stream import EventStream


class EventStreamResponse(StreamingHttpResponse):
    """A server with an event loop closes it and goes on with `event_stream.frames()`, so that no thread is
    held (nothing begins before that is iterated); any other iterates the answer itself: the same frames,
    with one thread held."""

    def __init__(self, event_stream: EventStream) -> None:
        super().__init__(event_stream.blocking_frames(), content_type="text/event-stream")
        self.event_stream = event_stream
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # nginx would keep frames back
