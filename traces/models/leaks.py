"""Secrets that agents sent and the console took out. The secret itself is nowhere: only a keyed hash tells one from another."""

import uuid

from django.db import models

from agentconsole.protocol.ids import uuid7
from runs.models import Agent, Environment

_WORDS = {"field_name": "value of a telling field", "base64": "secret in base64"}


class Severity(models.IntegerChoices):
    """How soon somebody has to act."""

    P1 = 1, "P1"
    P2 = 2, "P2"
    P3 = 3, "P3"


class LeakIncident(models.Model):
    """One secret in one environment, from its first finding until a person closes it, and again if it comes back.

    `secret_hash` is keyed; for what an SDK took out itself it is made of agent, detector and place. `history` tells of closings and returns:
    `[{at, what, by, reason}]`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, db_index=False)
    secret_hash = models.CharField(max_length=64)
    detector = models.CharField(max_length=40)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    is_blocked_at_source = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    seen = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, blank=True)
    closed_reason = models.TextField(blank=True)
    history = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "secret_hash"], name="leak_once_per_environment")]
        indexes = [
            # The banner, and the open list: worst first, then newest.
            models.Index(
                fields=["severity", "-last_seen_at", "-id"], condition=models.Q(closed_at=None), name="leak_open"
            ),
            # The closed list.
            models.Index(fields=["-closed_at", "-id"], condition=models.Q(closed_at__isnull=False), name="leak_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.detector} in {self.environment_id}"

    @property
    def incident_id(self) -> uuid.UUID:
        """Its id, under the name that signatures use."""
        return self.id

    @property
    def what(self) -> str:
        """The kind of secret, in words."""
        return _WORDS.get(self.detector) or self.detector.replace("_", " ")

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it since it was last seen."""
        return self.closed_at is None


class LeakSource(models.Model):
    """Where a secret came from: through which door, of which agent, in what, at which place; the run and span are those of the last time."""

    incident = models.ForeignKey(LeakIncident, on_delete=models.CASCADE, related_name="sources", db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, db_index=False)
    door = models.CharField(max_length=16)
    source = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=200)
    seen = models.PositiveIntegerField(default=0)
    last_seen_at = models.DateTimeField()
    run_id = models.UUIDField(null=True)
    span_id = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            # Also an incident's sources.
            models.UniqueConstraint(fields=["incident", "agent", "door", "source", "place"], name="leak_source_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.place}"
