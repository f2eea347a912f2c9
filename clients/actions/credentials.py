"""API tokens and platform keys."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from .. import tokens
from ..models import ApiToken, Client, PlatformKey, User


@dataclass(frozen=True)
class NewApiToken:
    token: ApiToken
    secret: str


def create_api_token(
    *,
    client: Client,
    name: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    by: User | None = None,
) -> NewApiToken:
    """The secret is answered this once; only its hash is kept."""
    secret = tokens.new_api_token()
    token = ApiToken.objects.create(
        client=client,
        name=name,
        prefix=secret[:8],
        digest=tokens.digest(secret),
        scopes=tokens.all_scopes() if scopes is None else scopes,
        expires_at=expires_at,
        created_by=by,
    )
    return NewApiToken(token, secret)


def revoke(credential: ApiToken | PlatformKey) -> None:
    """Refused from now on (by processes that knew it, within CREDENTIAL_CACHE_SECONDS)."""
    type(credential).objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=timezone.now())


def create_platform_key(*, client: Client, name: str = "") -> PlatformKey:
    return PlatformKey.objects.create(client=client, name=name)
