"""The kernel's one table."""

from django.db import models


class ComponentBeat(models.Model):
    """The last sign of life of a part of the console: `worker`, `beat`."""

    component = models.CharField(max_length=64, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.component} at {self.beat_at:%Y-%m-%dT%H:%M:%SZ}"
