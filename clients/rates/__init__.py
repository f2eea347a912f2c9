"""How often somebody may call: fixed windows of one minute from the first call (contract `behaviour.md`).

A call counts when it is let in, and whatever becomes of it; one that is refused counts nothing. The
numbers are exact among all threads and processes that share the store of counts: memory on SQLite
(a file that its server processes map, where there are several), a table on PostgreSQL, Redis where
REDIS_URL names one.
"""

import ipaddress
import os
import threading
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection

from .store import Limit, Standing, Store

__all__ = [
    "MOST",
    "OF_CLIENTS",
    "Limit",
    "Limits",
    "Standing",
    "address",
    "forget",
    "limits_of",
    "most",
    "spend",
    "spend_for_address",
]

#: What may differ from client to client (`Client.settings["rate_limits"]`).
OF_CLIENTS = ("conversations", "messages", "uploads", "users", "sessions")
MOST = 1_000_000_000

_making = threading.Lock()

#: A client's own limits: (class, calls a minute).
Limits = tuple[tuple[str, int], ...]


def spend(limit: Limit, *, unless: Limit | None = None) -> Standing:
    """Counts one call, if that many are not counted yet. Where `unless` is used up, it is refused by that
    one, and nothing is counted."""
    with _making:  # two stores would be two counts
        store = _store(connection.vendor, settings.REDIS_URL)
    return store.spend(limit, unless)


def spend_for_address(of: str, caller: str) -> Standing:
    """Counts what somebody without a credential does from an address."""
    return spend(Limit(f"{of}:{address(caller)}", most(of)))


def most(of: str, own: Limits = ()) -> int:
    """Calls a minute of this class: the client's own number, else that of the settings."""
    return dict(own).get(of) or settings.RATE_LIMITS[of]


def limits_of(given: dict[str, Any]) -> Limits:
    """What a client's settings say of limits; whatever is none is passed over."""
    own = given.get("rate_limits")
    if not isinstance(own, dict):
        return ()
    return tuple((name, own[name]) for name in OF_CLIENTS if type(own.get(name)) is int and 0 < own[name] <= MOST)


def address(text: str) -> str:
    """Whom an address stands for: of IPv6 the /64, which is what one household or machine is given."""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def forget() -> None:
    """What this process keeps of counts: a fork's locks and connections are its parent's."""
    global _making
    _making = threading.Lock()
    _store.cache_clear()


@cache
def _store(vendor: str, redis_url: str) -> Store:
    if redis_url:
        from .redis import Redis

        return Redis(redis_url)
    if vendor != "sqlite":
        from .postgresql import PostgreSQL

        return PostgreSQL()
    if settings.WEB_WORKERS > 1 and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        from .mapped import Mapped

        return Mapped(f"{connection.settings_dict['NAME']}.rates")
    from .memory import Memory

    return Memory()


os.register_at_fork(after_in_child=forget)
