"""A stream ends when its credential does."""

import time
from collections.abc import Sequence

from clients.credentials import BadCredential

from .subscription import Subscription

_EVERY = 40.0  # seconds between two looks at a credential
_ROUNDS = 20  # in at most so many rounds all are looked at


def look_again(members: Sequence[Subscription]) -> None:
    now = time.monotonic()
    due = [member for member in members if member.check_at <= now][: 50 + len(members) // _ROUNDS]
    for member in due:
        if member.check_at:  # the first time it was just looked at
            try:
                member.caller = member.again()
            except BadCredential:
                member.end()
                member.wake()
        member.check_at = now + _EVERY
