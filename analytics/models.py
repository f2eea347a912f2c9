"""Rollups: what a dashboard reads instead of messages. Only `analytics.folding` writes them (docs/analytics.md)."""

from datetime import date
from typing import Any

from django.db import models

from clients.models import Client

#: Stands for "of all days" where a figure is kept without a window too.
EVER = date(1, 1, 1)


class Scope(models.TextChoices):
    """What a figure is of; in brackets what its columns say."""

    CLIENT = "client"
    OWNER = "owner"  # subject: the user who owns the conversations
    PAIR = "pair"  # subject: the owner, other: the agent who wrote to them
    AGENT = "agent"  # subject: the agent
    CHANNEL = "channel"  # name: the channel
    HOUR = "hour"  # subject: hour of the day, 0 to 23
    STATUS = "status"  # name: the state


#: The columns that are sums, in the order in which a share tells them. Times are microseconds, so that sums are exact.
MEASURES = (
    "messages", "customer_messages", "conversations", "finished", "responses", "response_us", "first_responses",
    "first_response_us", "resolutions", "resolution_us", "durations", "duration_us", "owned", "owners",
)  # fmt: skip


class Figure(models.Model):
    """The sums of one subject on one day of its client's time zone."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    subject = models.BigIntegerField(default=0)
    other = models.BigIntegerField(default=0)
    name = models.CharField(max_length=50, default="")
    day = models.DateField()
    messages = models.BigIntegerField(default=0)
    customer_messages = models.BigIntegerField(default=0)
    conversations = models.BigIntegerField(default=0)
    finished = models.BigIntegerField(default=0)
    responses = models.BigIntegerField(default=0)
    response_us = models.BigIntegerField(default=0)
    first_responses = models.BigIntegerField(default=0)
    first_response_us = models.BigIntegerField(default=0)
    resolutions = models.BigIntegerField(default=0)
    resolution_us = models.BigIntegerField(default=0)
    durations = models.BigIntegerField(default=0)
    duration_us = models.BigIntegerField(default=0)
    owned = models.BigIntegerField(default=0)
    #: Of the client, for all days: how many users own a conversation.
    owners = models.BigIntegerField(default=0)

    objects = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "scope", "subject", "day", "other", "name"], name="figure_once"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["client", "scope", "day"], name="figure_by_day"),
            models.Index(
                fields=["client", "-conversations", "subject"],
                name="figure_top_agents",
                condition=models.Q(scope="agent", day=EVER),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.subject or self.name} {self.day}"


class Share(models.Model):
    """What one conversation has added to the figures. It may be gone already: the share says what to take back."""

    conversation_id = models.BigIntegerField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    #: [[scope, subject, other, name, day, [measures without the zeros at their end]], …]
    added = models.JSONField(default=list)

    objects = models.Manager()

    def __str__(self) -> str:
        return str(self.conversation_id)


class Mark(models.Model):
    """A conversation that changed without an event: by an erasure, or by the end of its retention."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+")
    conversation_id = models.BigIntegerField()

    objects = models.Manager()

    def __str__(self) -> str:
        return str(self.conversation_id)


class Position(models.Model):
    """How far the event log is folded in. One row."""

    #: No event up to here is missing in the figures, and none up to here can still come.
    event_id = models.BigIntegerField(default=0)
    #: Up to which id somebody looked, and the transactions that could still bring a lower one then.
    looked_at = models.BigIntegerField(default=0)
    writers = models.JSONField(default=list)
    #: Counted up with each change of figures: who reads while it stays the same reads one state.
    version = models.BigIntegerField(default=0)

    objects = models.Manager()

    def __str__(self) -> str:
        return str(self.event_id)

    @property
    def standing(self) -> tuple[Any, ...]:
        return self.event_id, self.looked_at, tuple(self.writers), self.version


class Rollup(models.Model):
    """In which time zone a client's figures are, and how far they are being counted anew."""

    client = models.OneToOneField(Client, models.CASCADE, related_name="rollup", primary_key=True)
    time_zone = models.CharField(max_length=64)
    #: The last conversation that was counted anew; None where nothing is to be.
    rebuilt_to = models.BigIntegerField(null=True)

    objects = models.Manager()

    def __str__(self) -> str:
        return self.time_zone
