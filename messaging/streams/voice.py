"""How a face says what happened."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError

from conversations.events import Kind
from conversations.feed import Told

from . import frames

if TYPE_CHECKING:
    from .signals import Signal

logger = logging.getLogger("chatplatform.events")


@dataclass(frozen=True, eq=False)
class Voice:
    """One for each dialect, and the admin's. What it leaves out is not told there."""

    name: str
    #: From events to bodies of one line of JSON, by the events' ids; once however many subscribers there are.
    events: Callable[[Sequence[Told]], Mapping[int, str]]
    #: The same for what is not stored, in the order given; None is not told.
    signals: Callable[[Sequence["Signal"]], Sequence[str | None]]
    #: Whether private notes are for its subscribers.
    notes: bool = False


def say(voice: Voice, events: Sequence[Told]) -> dict[int, bytes]:
    """The frames of events, by their ids, in their order."""
    if not voice.notes:
        events = [event for event in events if event["kind"] != Kind.NOTE_CREATED]
    bodies = _bodies(voice, events) if events else {}
    return {
        event["id"]: frames.frame(event["kind"], bodies[event["id"]], cursor=event["id"])
        for event in events
        if event["id"] in bodies
    }


def _bodies(voice: Voice, events: Sequence[Told]) -> Mapping[int, str]:
    """One that cannot be said does not keep the others back."""
    try:
        return voice.events(events)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        if len(events) == 1:
            logger.exception("event %s cannot be said in %s", events[0]["id"], voice.name)
            return {}
    return {pk: body for event in events for pk, body in _bodies(voice, [event]).items()}
