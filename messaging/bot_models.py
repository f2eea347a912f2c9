"""What AI agents use, and what that costs (docs/ai.md)."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from clients.models import Agent, Client
from clients.querysets import TenantQuerySet


class AgentUsageQuerySet(TenantQuerySet):
    tenant = "agent__client_id"


class AgentUsage(models.Model):
    """What one agent's provider did on one day of the client's calendar."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="usage", verbose_name=_("agent"))
    day = models.DateField(_("day"))
    answers = models.PositiveIntegerField(_("answers"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    tokens_in = models.PositiveBigIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveBigIntegerField(_("tokens out"), default=0)
    #: In millionths: SQLite keeps decimals as floats, which do not add up.
    cost_micro = models.PositiveBigIntegerField(default=0)

    objects = AgentUsageQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("AI usage"), _("AI usage")
        ordering = ["-day", "-id"]
        constraints = [models.UniqueConstraint(fields=["agent", "day"], name="agent_usage_once")]
        indexes = [models.Index(fields=["-day", "-id"], name="agent_usage_newest")]

    def __str__(self) -> str:
        return f"{self.agent} {self.day}"

    @property
    def cost(self) -> Decimal:
        return Decimal(self.cost_micro).scaleb(-6)


class AgentReserve(models.Model):
    """What a call that is under way may cost its client at most. One whose process was killed ends by its time."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    until = models.DateTimeField()
    cost_micro = models.PositiveBigIntegerField()

    class Meta:
        verbose_name, verbose_name_plural = _("reserve of an AI call"), _("reserves of AI calls")

    def __str__(self) -> str:
        return f"{self.client_id} until {self.until:%Y-%m-%d %H:%M:%S}"
