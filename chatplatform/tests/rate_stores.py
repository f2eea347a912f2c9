"""The Redis that tests may use, where one answers."""

import os

import pytest
import redis

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


def redis_address() -> str:
    try:
        redis.Redis.from_url(REDIS, socket_timeout=1).ping()
    except redis.RedisError:
        pytest.skip(f"no Redis answers at {REDIS}")
    return REDIS
