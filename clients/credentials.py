"""From a secret to a Caller, and from a log-in to tokens (contract `accounts.md`).

A process may go on believing what it knows of a credential for CREDENTIAL_CACHE_SECONDS, so that a
call costs no query; whoever must be right at once asks with `fresh=True`.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import jwt
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from . import tokens
from .callers import Caller, caller_of_token, caller_of_user
from .models import Agent, ApiToken, RefreshToken, User

_ISSUER = "chatplatform"
_CACHE_SIZE = 20_000
#: How long after its rotation a spent refresh token is only refused; later its use ends the family.
REUSE_GRACE = timedelta(seconds=10)


class BadCredential(Exception):
    """Unknown, forged, expired, revoked, or of somebody who may not come in any more."""


class _Known:
    """What this process believes of credentials, each for a short time."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, Caller]] = {}

    def get(self, secret: str) -> Caller | None:
        entry = self._entries.get(secret)
        return entry[1] if entry and entry[0] > time.time() else None

    def put(self, secret: str, caller: Caller, expires: float) -> None:
        if len(self._entries) >= _CACHE_SIZE:
            self._entries.clear()
        self._entries[secret] = (min(expires, time.time() + settings.CREDENTIAL_CACHE_SECONDS), caller)

    def clear(self) -> None:
        self._entries.clear()


known = _Known()


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


def caller_of_access_token(secret: str, *, fresh: bool = False) -> Caller:
    """The user whose access token this is. Raises BadCredential."""
    if not fresh and (caller := known.get(secret)):
        return caller
    token = _claims(secret, "access")
    user = User.objects.select_related("client").filter(uuid=token["sub"], token_version=token["ver"]).first()
    if user is None or not may_come_in(user) or _ended(token["fam"]):
        raise BadCredential
    # An agent that was put out of service keeps its queues here: without them it would see more.
    caller = caller_of_user(user, Agent.objects.filter(user=user).first())
    known.put(secret, caller, token["exp"])
    return caller


def caller_of_api_token(secret: str, *, fresh: bool = False) -> Caller:
    """The workspace token's caller; remembers when it was last used, to the minute. Raises BadCredential."""
    if not fresh and (caller := known.get(secret)):
        return caller
    token = ApiToken.objects.by_secret(secret)
    if token is None:
        raise BadCredential
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    caller = caller_of_token(token)
    known.put(secret, caller, token.expires_at.timestamp() if token.expires_at else float("inf"))
    return caller


def may_come_in(user: User) -> bool:
    """Active, not expired, and of a client that is active."""
    return (
        user.is_active
        and (user.expires_at is None or user.expires_at > timezone.now())
        and (user.client is None or user.client.is_active)
    )


@transaction.atomic
def issue_tokens(user: User, *, family: uuid.UUID | None = None) -> TokenPair:
    """An access and a refresh token; without `family` they begin a new log-in."""
    family = family or uuid.uuid4()
    identifier = uuid.uuid4().hex
    now = timezone.now()
    RefreshToken.objects.create(
        user=user,
        family=family,
        digest=tokens.digest(identifier),
        created_at=now,
        expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
    )
    claims = {
        "iss": _ISSUER, "iat": now, "sub": str(user.uuid), "fam": str(family), "ver": user.token_version,
    }  # fmt: skip
    return TokenPair(
        access=_sign({**claims, "typ": "access", "exp": now + settings.ACCESS_TOKEN_LIFETIME}),
        refresh=_sign({**claims, "typ": "refresh", "exp": now + settings.REFRESH_TOKEN_LIFETIME, "jti": identifier}),
    )


def _sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, settings.JWT_SIGNING_KEY, algorithm="HS256")


def _claims(secret: str, kind: Literal["access", "refresh"]) -> dict[str, Any]:
    """What a token of ours says, its signature, issuer, kind and expiry checked. Raises BadCredential."""
    try:
        claims: dict[str, Any] = jwt.decode(
            secret,
            settings.JWT_SIGNING_KEY,
            algorithms=["HS256"],
            issuer=_ISSUER,
            options={"require": ["exp", "iss", "sub", "fam", "ver", "typ"]},
        )
    except (jwt.PyJWTError, ValueError) as error:  # ValueError: a token with lone surrogates
        raise BadCredential from error
    if claims["typ"] != kind:
        raise BadCredential
    return claims


def rotate_refresh_token(secret: str) -> tuple[TokenPair, User]:
    """Spends a refresh token for a new pair. Of any number of concurrent uses one wins; a use later
    than REUSE_GRACE after that ends the whole family. Raises BadCredential."""
    claims = _claims(secret, "refresh")
    digest, version = tokens.digest(claims.get("jti", "")), claims["ver"]
    now = timezone.now()
    with transaction.atomic():
        row = RefreshToken.objects.select_related("user__client").filter(digest=digest).first()
        if row is None or row.revoked_at or row.user.token_version != version or not may_come_in(row.user):
            raise BadCredential
        won = RefreshToken.objects.filter(pk=row.pk, used_at=None, revoked_at=None).update(used_at=now)
        if won:
            return issue_tokens(row.user, family=row.family), row.user
    used_at = RefreshToken.objects.filter(pk=row.pk).values_list("used_at", flat=True).get()
    if used_at is not None and now - used_at > REUSE_GRACE:
        end_family(row.family)
    raise BadCredential


def end_family(family: uuid.UUID) -> None:
    """A log-out: no token of this log-in is good any more (within CREDENTIAL_CACHE_SECONDS)."""
    RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=timezone.now())


def _ended(family: str) -> bool:
    return RefreshToken.objects.filter(family=family, revoked_at__isnull=False).exists()
