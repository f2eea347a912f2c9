"""Who: tenants, the people and programs of each, and their credentials."""

from .credentials import ApiToken, PlatformKey, RefreshToken, StreamTicket
from .idempotency import IdempotencyKey
from .people import Agent, Client, Contact, User, UserManager, new_uuid
from .rates import RateWindow

__all__ = [
    "Agent",
    "ApiToken",
    "Client",
    "Contact",
    "IdempotencyKey",
    "PlatformKey",
    "RateWindow",
    "RefreshToken",
    "StreamTicket",
    "User",
    "UserManager",
    "new_uuid",
]
