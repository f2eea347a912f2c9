"""From a secret to a Caller, and from a log-in to tokens (contract `accounts.md`).

A process may go on believing what it knows of a credential for CREDENTIAL_CACHE_SECONDS, so that a
call costs no query; whoever must be right at once asks with `fresh=True`.
"""

import math
import time
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

import jwt
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from . import tokens
from .callers import Caller, caller_of_token, caller_of_user
from .models import Agent, ApiToken, PlatformKey, RefreshToken, User
from .rates import limits_of

_ISSUER = "chatplatform"
_CACHE_SIZE = 20_000
#: How long after its rotation a spent refresh token is only refused; later its use ends the family.
REUSE_GRACE = timedelta(seconds=10)


class BadCredential(Exception):
    """Unknown, forged, expired, revoked, or of somebody who may not come in any more."""


class Expired(BadCredential):
    """A token of ours whose time is over; who presents it may have one to renew it with."""


class _Known:
    """What this process believes of credentials, each for a short time. A secret is known as one kind
    of credential and stays unknown as any other: an API token opens no dialect of users."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], tuple[float, Any]] = {}

    def get(self, kind: str, secret: str) -> Any:
        entry = self._entries.get((kind, secret))
        return entry[1] if entry and entry[0] > time.time() else None

    def put(self, kind: str, secret: str, meaning: Any, expires: float = math.inf) -> None:
        if len(self._entries) >= _CACHE_SIZE:
            self._entries.clear()
        expires = min(expires, time.time() + settings.CREDENTIAL_CACHE_SECONDS)
        self._entries[kind, secret] = (expires, meaning)

    def forget(self, kind: str, secret: str) -> None:
        self._entries.pop((kind, secret), None)

    def clear(self) -> None:
        self._entries.clear()


known = _Known()


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


def caller_of_access_token(secret: str, *, fresh: bool = False) -> Caller:
    """The user whose access token this is. Raises BadCredential."""
    caller: Caller | None = None if fresh else known.get("access token", secret)
    if caller is not None:
        return caller
    token = claims_of(secret, "access")
    caller = caller_of_log_in(User.objects.filter(uuid=token["sub"], token_version=token["ver"]), token["fam"])
    known.put("access token", secret, caller, token["exp"])
    return caller


def caller_of_log_in(users: QuerySet[Any], family: str) -> Caller:
    """The one user (or nobody) as whom somebody logged in, while that log-in lasts. Raises BadCredential."""
    user = users.select_related("client").first()
    if user is None or not may_come_in(user) or _ended(family):
        raise BadCredential
    # An agent that was put out of service keeps its queues here: without them it would see more.
    caller = caller_of_user(user, Agent.objects.filter(user=user).first())
    if user.client is not None:
        caller = replace(caller, rate_limits=limits_of(user.client.settings))
    return caller


def caller_of_api_token(secret: str, *, fresh: bool = False) -> Caller:
    """The workspace token's caller; remembers when it was last used, to the minute. Raises BadCredential."""
    caller: Caller | None = None if fresh else known.get("API token", secret)
    if caller is not None:
        return caller
    token = ApiToken.objects.by_secret(secret)
    if token is None:
        raise BadCredential
    _remember_use(token)
    caller = replace(caller_of_token(token), rate_limits=limits_of(token.client.settings))
    known.put("API token", secret, caller, token.expires_at.timestamp() if token.expires_at else math.inf)
    return caller


def client_of_platform_key(key: str) -> int:
    """The client that a public key names; remembers when it was last used, to the minute. Raises BadCredential."""
    client_id: int | None = known.get("platform key", key)
    if client_id is not None:
        return client_id
    row = PlatformKey.objects.by_key(key)
    if row is None:
        raise BadCredential
    _remember_use(row)
    known.put("platform key", key, row.client_id)
    named: int = row.client_id
    return named


def _remember_use(credential: ApiToken | PlatformKey) -> None:
    """At most once a minute, however many processes see it used."""
    now = timezone.now()
    before = now - timedelta(minutes=1)
    if credential.last_used_at is None or credential.last_used_at < before:
        rows = type(credential)._default_manager.filter(pk=credential.pk)
        rows.filter(Q(last_used_at=None) | Q(last_used_at__lt=before)).update(last_used_at=now)


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


def claims_of(secret: str, kind: Literal["access", "refresh"]) -> dict[str, Any]:
    """What a token of ours says, its signature, issuer, kind and expiry checked. Raises BadCredential,
    Expired where nothing but its age is wrong."""
    try:
        claims: dict[str, Any] = jwt.decode(
            secret,
            settings.JWT_SIGNING_KEY,
            algorithms=["HS256"],
            issuer=_ISSUER,
            options={"require": ["exp", "iss", "sub", "fam", "ver", "typ"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise Expired from error
    except (jwt.PyJWTError, ValueError) as error:  # ValueError: a token with lone surrogates
        raise BadCredential from error
    if claims["typ"] != kind:
        raise BadCredential
    return claims


def rotate_refresh_token(secret: str) -> tuple[TokenPair, User]:
    """Spends a refresh token for a new pair. Of any number of concurrent uses one wins; a use later
    than REUSE_GRACE after that ends the whole family. Raises BadCredential."""
    claims = claims_of(secret, "refresh")
    digest, version = tokens.digest(claims.get("jti", "")), claims["ver"]
    now = timezone.now()
    with transaction.atomic():
        row = RefreshToken.objects.select_related("user__client").filter(digest=digest).first()
        if row is None or row.revoked_at or row.user.token_version != version or not may_come_in(row.user):
            raise BadCredential
        if _ended(str(row.family)):  # while this token was being made
            raise BadCredential
        won = RefreshToken.objects.filter(pk=row.pk, used_at=None, revoked_at=None).update(used_at=now)
        if won:
            return issue_tokens(row.user, family=row.family), row.user
    used_at = RefreshToken.objects.filter(pk=row.pk).values_list("used_at", flat=True).get()
    if used_at is not None and now - used_at > REUSE_GRACE:
        end_families(row.family)
    raise BadCredential


def end_families(*families: uuid.UUID) -> None:
    """A log-out: no token of these log-ins is good any more (within CREDENTIAL_CACHE_SECONDS)."""
    RefreshToken.objects.filter(family__in=families, revoked_at=None).update(revoked_at=timezone.now())


def end_log_in(*secrets: str) -> None:
    """A log-out by whatever tokens of the log-in are at hand: access or refresh, expired or spent too."""
    families = set()
    for secret in secrets:
        known.forget("access token", secret)
        try:
            claims = jwt.decode(
                secret,
                settings.JWT_SIGNING_KEY,
                algorithms=["HS256"],
                issuer=_ISSUER,
                options={"require": ["iss", "fam", "typ"], "verify_exp": False},
            )
        except (jwt.PyJWTError, ValueError):
            continue
        families.add(uuid.UUID(claims["fam"]))
    end_families(*families)


def _ended(family: str) -> bool:
    return RefreshToken.objects.filter(family=family, revoked_at__isnull=False).exists()
