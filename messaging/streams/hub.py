"""One thread of a process that serves streams: it follows the log and gives each subscriber what they may
see. It alone asks the database, whoever subscribes; it ends when nobody does."""

import logging
import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, InterfaceError, connection

from conversations.audience import seen_by_each
from conversations.feed import Feed, Told

from . import arriving, frames
from .ears import Ears
from .renewing import look_again
from .signals import Signal, hearers_of, parse
from .subscription import Subscription
from .voice import Voice, say

logger = logging.getLogger("chatplatform.events")

_PAGE = 500  # events of the log
_LINGER = 5.0  # seconds without a subscriber
_CATCHING_UP = 0.1  # seconds a round for those who are behind: the others wait meanwhile


class Hub:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: dict[Subscription, None] = {}
        self._thread: threading.Thread | None = None
        self._ears: Ears | None = None
        self._stopping = False

    def join(self, subscription: Subscription) -> None:
        with self._lock:
            self._members[subscription] = None
            if self._thread is None or not self._thread.is_alive():  # a fork leaves its threads behind
                self._ears = Ears()
                self._thread = threading.Thread(target=self._run, args=[self._ears], name="streams", daemon=True)
                self._thread.start()
        self.poke()

    def leave(self, subscription: Subscription) -> None:
        subscription.end()
        with self._lock:
            self._members.pop(subscription, None)

    def poke(self) -> None:
        if (ears := self._ears) is not None:
            ears.poke()

    def __len__(self) -> int:
        return len(self._members)

    def stop(self) -> None:
        """Ends every stream and the thread; for tests."""
        thread = self._thread
        if thread is not None:
            self._stopping = True
            self.poke()
            thread.join(10)
            self._stopping = False

    def _run(self, ears: Ears) -> None:
        following = _Following(ears)
        interval = 0.2 if connection.vendor == "sqlite" else 1.0
        troubled = False
        try:
            while members := self._present(ears):
                ears.listen()
                more = False
                try:
                    more = following.round(members)
                    troubled = False
                except (DatabaseError, InterfaceError) as error:
                    if not troubled:  # once for each time that it is away
                        logger.error("streams wait for the database: %s", type(error).__name__)
                    troubled = True
                    connection.close()
                except Exception:
                    logger.exception("a round of the streams failed")
                if not more:
                    if connection.vendor == "postgresql":
                        connection.close()  # back to the pool
                    ears.wait(interval)
        finally:
            ears.close()
            connection.close()

    def _present(self, ears: Ears) -> list[Subscription]:
        """Empty where the thread is to end: nobody has come for a while."""
        until = time.monotonic() + _LINGER
        while True:
            with self._lock:
                left = until - time.monotonic()
                if self._stopping or (not self._members and left <= 0):
                    for member in self._members:
                        member.end()
                        member.wake()
                    self._members.clear()
                    self._thread = self._ears = None
                    return []
                if self._members:
                    return list(self._members)
            ears.wait(left)


class _Following:
    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._feed: Feed | None = None
        self._untold: list[Told] = []

    def round(self, members: Sequence[Subscription]) -> bool:
        """Whether there is more to do at once."""
        if self._feed is None:
            self._feed = Feed.from_now()
        feed = self._feed
        live = [member for member in members if member.state == "live"]
        self._untold = self._untold or feed.read(_PAGE)  # kept until it is told, whatever goes wrong meanwhile
        told = len(self._untold)
        self._tell(live, self._untold, feed.position)
        self._untold = []
        self._tell_signals(live)
        for member in members:
            if member.state == "new":
                arriving.admit(member, feed.position)
                member.wake()
        look_again(members)
        behind = [member for member in members if member.state == "behind" and member.has_room]
        until = time.monotonic() + _CATCHING_UP
        done = 0
        for member in behind:
            arriving.catch_up(member, feed.position)
            member.wake()
            done += 1
            if time.monotonic() > until:
                break
        return told == _PAGE or done < len(behind)

    def _tell(self, live: Sequence[Subscription], events: Sequence[Told], position: int) -> None:
        seen = seen_by_each({member.caller for member in live}, events) if events else {}
        wanted: dict[Voice, set[int]] = {}
        for member in live:
            if ids := seen.get(member.caller):
                wanted.setdefault(member.voice, set()).update(ids)
        made = {voice: say(voice, [e for e in events if e["id"] in ids]) for voice, ids in wanted.items()}
        for member in live:
            said, ids = made.get(member.voice, {}), seen.get(member.caller, frozenset())
            fresh = [frame for pk, frame in said.items() if pk in ids and pk > member.position]
            if fresh or position > member.position:
                member.put(*fresh, position=max(position, member.position))
            if fresh:
                member.wake()

    def _tell_signals(self, live: Sequence[Subscription]) -> None:
        heard: list[Signal] = [signal for text in self._ears.signals() if (signal := parse(text))]
        if not heard:
            return
        hearers = hearers_of(heard, {member.caller for member in live})
        said = {voice: voice.signals(heard) for voice in {member.voice for member in live}}
        for member in live:
            mine = hearers.get(member.caller, frozenset())
            for number, (signal, body) in enumerate(zip(heard, said[member.voice], strict=True)):
                if number in mine and body is not None:
                    member.put_signal(frames.frame(signal.kind, body))
                    member.wake()


hub = Hub()
