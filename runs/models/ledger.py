"""What of an agent's telemetry was not kept."""

from django.db import models

from runs.models.agents import AgentInstance


class RefusedItems(models.Model):
    """Items of one instance that were refused on one day at one door for one reason, or that its SDK had to drop.

    `message` and `item_id` are those of the last time: redacted, and no word of what was sent.
    """

    instance = models.ForeignKey(AgentInstance, on_delete=models.CASCADE, db_index=False, related_name="refused")
    day = models.DateField()
    door = models.CharField(max_length=16)
    code = models.CharField(max_length=40)
    items = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    message = models.CharField(max_length=500, blank=True)
    item_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            # Also an instance's account, by day.
            models.UniqueConstraint(fields=["instance", "day", "door", "code"], name="refused_items_once")
        ]

    def __str__(self) -> str:
        return f"{self.items} {self.code} at {self.door}"
