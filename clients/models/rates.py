"""How often callers have called, on PostgreSQL (`clients/rates`)."""

from django.db import models


class RateWindow(models.Model):
    """A caller's present minute; an unlogged table, whose rows go soon after."""

    key = models.CharField(max_length=100, primary_key=True)
    ends_at = models.DateTimeField()
    spent = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.key
