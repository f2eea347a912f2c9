"""From a cursor to the present: what a subscriber is told before what happens from now on."""

import re
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from conversations.audience import missed
from conversations.feed import latest
from conversations.models import Event

from . import frames
from .subscription import Subscription
from .voice import say

_CURSOR = re.compile(r"[0-9]{1,18}", re.ASCII)
_PAGE = 200  # events of the log; with the longest texts some MB


def admit(member: Subscription, position: int) -> None:
    """`position`: up to here everything was told to those who are live."""
    if member.cursor is None:
        return _go_live(member, position, "ready")
    cursor = int(member.cursor) if _CURSOR.fullmatch(member.cursor) else None
    if cursor is None or not _is_good(cursor, position):
        return _go_live(member, position, "reset")
    member.position = cursor
    if cursor >= position:  # of another process that was quicker; what lies between is passed over
        return _go_live(member, cursor, "ready")
    member.state = "behind"
    return None


def catch_up(member: Subscription, position: int) -> None:
    """One page of what it missed; with the last one it is live, without a gap: this thread tells both."""
    events, reached = missed(member.caller, after=member.position, upto=position, limit=_PAGE)
    member.put(*say(member.voice, events).values(), position=reached)
    if reached >= position:
        _go_live(member, position, "ready")


def _go_live(member: Subscription, position: int, name: str) -> None:
    member.put(frames.frame(name, "{}", cursor=position), position=position)
    member.state = "live"


def _is_good(cursor: int, position: int) -> bool:
    """Whether everything since is still there to be told."""
    if cursor > position and cursor > latest():
        return False
    following = Event.objects.filter(pk__gt=cursor).order_by("pk").values_list("pk", "created_at").first()
    if following is None:
        return True
    pk, at = following
    if at < timezone.now() - timedelta(days=settings.EVENT_REPLAY_DAYS):
        return False
    # What was before it is there: then nothing that came after it has been removed for its age.
    return (cursor == 0 and pk == 1) or Event.objects.filter(pk__lte=cursor).exists()
