"""Settings of what follows the event log."""

from environs import Env
from marshmallow.validate import Length, Range

env = Env()

WEBHOOK_ALLOW_PRIVATE = env.bool("WEBHOOK_ALLOW_PRIVATE", False)  # for development: receivers on this machine
# Seconds from one attempt to the next (contract `workspace`), each shifted by up to a fifth.
WEBHOOK_RETRY_DELAYS: list[float] = env.list(
    "WEBHOOK_RETRY_DELAYS",
    [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
    subcast=float,
    validate=Length(min=1),
)
WEBHOOK_TIMEOUT = env.float("WEBHOOK_TIMEOUT", 15.0, validate=Range(min=0.1, max=60))  # seconds of an attempt, in all
WEBHOOK_DISABLE_DAYS = env.float("WEBHOOK_DISABLE_DAYS", 5.0, validate=Range(min=0))  # of failures only; 0: never
# Days for which a stream of events can be taken up again where it broke off.
EVENT_REPLAY_DAYS = env.int("EVENT_REPLAY_DAYS", 7, validate=Range(min=1, max=36_525))
# Streams of events that one server process keeps open: of a user or token, and of all of one client.
STREAMS_PER_CALLER = env.int("STREAMS_PER_CALLER", 20, validate=Range(min=1))
STREAMS_PER_CLIENT = env.int("STREAMS_PER_CLIENT", 2000, validate=Range(min=1))
