"""What callers prove themselves with."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import tokens
from ..fields import StrictJSONField
from ..querysets import ApiTokenQuerySet, PlatformKeyQuerySet
from .people import Client, User


class ApiToken(models.Model):
    """A `workspace` token; only its hash is kept."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="api_tokens", verbose_name=_("client"))
    name = models.CharField(_("name"), max_length=255)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256, hex
    scopes = StrictJSONField(_("scopes"), default=tokens.all_scopes)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, editable=False, related_name="+")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("API token"), _("API tokens")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class PlatformKey(models.Model):
    """A public key of the `platform` dialect: names the client, gives no right, can be revoked."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="platform_keys", verbose_name=_("client"))
    name = models.CharField(_("name"), max_length=255, blank=True, default="")
    key = models.CharField(_("key"), max_length=64, unique=True, default=tokens.new_public_key, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = PlatformKeyQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("platform key"), _("platform keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or self.key


class RefreshToken(models.Model):
    """One link of a log-in's chain of refresh tokens; each is good once, the family ends together."""

    user = models.ForeignKey(User, models.CASCADE, related_name="refresh_tokens")
    family = models.UUIDField(db_index=True)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the token's jti, hex
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager()

    class Meta:
        verbose_name, verbose_name_plural = _("refresh token"), _("refresh tokens")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_id}, {self.created_at:%Y-%m-%d %H:%M}"


class StreamTicket(models.Model):
    """Opens one stream of events within seconds, for browsers, whose EventSource sends no header. It is
    good for what the log-in that asked for it is good for, and not longer; only its hash is kept."""

    digest = models.CharField(max_length=64, unique=True)  # SHA-256, hex
    dialect = models.CharField(max_length=50)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    #: Of the access token: its log-in, the version of the user's tokens, and its end.
    family = models.UUIDField()
    version = models.PositiveIntegerField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = models.Manager()

    class Meta:
        verbose_name, verbose_name_plural = _("stream ticket"), _("stream tickets")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_id}, {self.created_at:%Y-%m-%d %H:%M}"
