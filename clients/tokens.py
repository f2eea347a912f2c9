"""Random secrets and their hashes."""

import hashlib
import secrets

SCOPES = (
    "conversations:read", "conversations:write", "messages:read", "messages:write",
    "people", "settings", "webhooks", "search",
)  # fmt: skip


def all_scopes() -> list[str]:
    return list(SCOPES)


def new_session_id() -> str:
    """192 random bits: whoever knows it may open chats for the client."""
    return f"ses_{secrets.token_urlsafe(24)}"


def new_public_key() -> str:
    return f"pk_{secrets.token_urlsafe(24)}"


def new_api_token() -> str:
    return f"cpt_{secrets.token_urlsafe(32)}"


def new_ticket() -> str:
    return f"tkt_{secrets.token_urlsafe(24)}"


def new_password() -> str:
    return secrets.token_urlsafe(12)


def digest(secret: str) -> str:
    """SHA-256 in hex: enough for secrets that are random to begin with."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
