"""The kernel's tables."""

from django.db import models


class ComponentBeat(models.Model):
    """The last sign of life of a part of the console: `worker`, `outbox`; `beat` with who leads. `history`: who writes HealthMinute.
    `schedule: …`: when a rare entry of the schedule was sent."""

    component = models.CharField(max_length=64, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.component} at {self.beat_at:%Y-%m-%dT%H:%M:%SZ}"


class HealthMinute(models.Model):
    """The worst that was seen of each component within a minute. At most 1,501 rows: 25 hours, and the minute that is open.

    A minute that is missing here, or has few samples, is one of which nobody knows.
    """

    minute = models.DateTimeField(primary_key=True)
    samples = models.PositiveSmallIntegerField()
    states = models.JSONField()
    faults = models.JSONField()

    def __str__(self) -> str:
        return f"health at {self.minute:%Y-%m-%dT%H:%MZ}"
