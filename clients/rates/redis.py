"""Counts in Redis, for servers on several machines that shall not ask the database.

Where Redis does not answer, each process counts by itself until it does again: a limit is then one of
each process, and nobody is refused for Redis's sake.
"""

import logging
import time
from typing import Any

import redis

from .memory import Memory
from .store import WINDOW, Limit, Standing

logger = logging.getLogger("chatplatform.rates")
_TIMEOUT = 0.5  # seconds for an answer
_PAUSE = 5.0  # seconds in which one that gave none is not asked again
_PREFIX = "chatplatform:rate:"

#: KEYS: the guard's, or nothing, and the limit's; ARGV: the window in ms, and how many each lets in.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spent, ends
for i = 1, #KEYS do
    local kept = redis.call('HMGET', KEYS[i], 'spent', 'ends')
    spent, ends = tonumber(kept[1] or '0'), tonumber(kept[2] or '0')
    if ends > now and spent >= tonumber(ARGV[i + 1]) then
        return {i, 0, spent, ends, now}
    end
end
if ends <= now then
    spent, ends = 0, now + ARGV[1]
end
local key, till = KEYS[#KEYS], string.format('%.0f', ends)
redis.call('HSET', key, 'spent', spent + 1, 'ends', till)
redis.call('PEXPIREAT', key, till)
return {#KEYS, 1, spent + 1, ends, now}
"""


class Redis:
    def __init__(self, url: str) -> None:
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, health_check_interval=30
        )
        self._script = self._redis.register_script(_SPEND)
        self._alone = Memory()
        self._ask_from = 0.0

    def spend(self, limit: Limit, unless: Limit | None) -> Standing:
        if time.monotonic() < self._ask_from:
            return self._alone.spend(limit, unless)
        limits = [unless, limit] if unless else [limit]
        try:
            place, accepted, spent, ends, now = self._script(
                keys=[_PREFIX + one.key for one in limits],
                args=[int(WINDOW * 1000), *(one.most for one in limits)],
            )
        except redis.RedisError as error:
            self._ask_from = time.monotonic() + _PAUSE
            logger.error("Redis does not count calls, each process does: %s", type(error).__name__)
            return self._alone.spend(limit, unless)
        return Standing(limits[place - 1], bool(accepted), spent, ends / 1000, (ends - now) / 1000)
