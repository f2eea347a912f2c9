from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class IdempotencyKey(models.Model):
    """The answer to a write that came with an Idempotency-Key, kept so that a retry gets it again."""

    caller = models.CharField(max_length=100)  # the credential: `user:5`, `token:7`
    digest = models.CharField(max_length=64)  # SHA-256 of the key, hex
    fingerprint = models.CharField(max_length=64)  # SHA-256 of what was asked, hex
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = models.Manager()

    class Meta:
        verbose_name, verbose_name_plural = _("idempotency key"), _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["caller", "digest"], name="idempotency_key_unique")]

    def __str__(self) -> str:
        return f"{self.caller}, {self.created_at:%Y-%m-%d %H:%M}"
