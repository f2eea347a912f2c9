"""A subscriber of this process, as a server with an event loop serves it."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any

from django.test import Client as HttpClient


@dataclass
class Frame:
    """What a browser would make of it."""

    event: str = ""
    id: str = ""
    data: Any = None
    comment: str = ""
    retry: str = ""


def parse(text: str) -> Frame:
    frame = Frame()
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        setattr(frame, name or "comment", value)
    if frame.data is not None:
        frame.data = json.loads(frame.data)
    return frame


class Frames:
    """From bytes as they come, cut anywhere, to whole frames."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        *whole, self.rest = (self.rest + chunk).split(b"\n\n")
        yield from (parse(frame.decode()) for frame in whole)


@dataclass
class Follower:
    """`follow(...)` has it; it is at its end once `ended` is set."""

    answer: Any
    last_id: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    _frames: "Queue[Frame]" = field(default_factory=Queue)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> "Follower":
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        async def read() -> None:
            parser = Frames()
            async with aclosing(self.answer.event_stream.frames()) as frames:
                async for chunk in frames:
                    for frame in parser.feed(chunk):
                        self._frames.put(frame)

        self._task = self._loop.create_task(read())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self.ended.set()
            self._loop.close()

    def next(self, timeout: float = 10) -> Frame:
        """The next frame that is no mere comment."""
        while True:
            frame = self._frames.get(timeout=timeout)
            if frame.id:
                self.last_id = frame.id
            if frame.event:
                return frame

    def until(self, event: str) -> list[Frame]:
        """The frames up to the first of that name, without it."""
        found = []
        while (frame := self.next()).event != event:
            found.append(frame)
        return found

    def rest(self) -> list[Frame]:
        """What there is now."""
        found = []
        while True:
            try:
                frame = self._frames.get_nowait()
            except Empty:
                return [one for one in found if one.event]
            found.append(frame)

    def close(self) -> None:
        if not self.ended.is_set():
            self._loop.call_soon_threadsafe(self._task.cancel)
        assert self.ended.wait(10)


Follow = Callable[..., Follower]


def following() -> Iterator[Follow]:
    """For a fixture: `follow(path, headers)` opens a stream; all are closed in the end."""
    open_ones = []

    def follow(path: str, headers: dict[str, str], *, ready: bool = True) -> Follower:
        answer = HttpClient().get(path, headers=headers)
        assert answer.status_code == 200, answer.content
        follower = Follower(answer).start()
        open_ones.append(follower)
        if ready:
            assert follower.next().event == "ready"
        return follower

    yield follow
    for follower in open_ones:
        follower.close()
