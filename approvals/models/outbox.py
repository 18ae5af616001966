"""The outbox: what an instance's receiver is to be told, written with the decision and delivered by a worker."""

import uuid

from django.db import models

from approvals.models.action import Action
from runs.models import AgentInstance


class Notification(models.Model):
    """A `request.resolved` event. Its id and body never change; one attempt at a time, until acknowledged or ended.

    `attempt_until` is the lease of an attempt under way: nobody else tries before it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.OneToOneField(Action, on_delete=models.CASCADE, related_name="notification")
    instance = models.ForeignKey(AgentInstance, on_delete=models.CASCADE)
    body = models.TextField()
    created_at = models.DateTimeField()
    give_up_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempt_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_status = models.PositiveIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = [
            # What is due.
            models.Index(fields=["next_attempt_at"], condition=models.Q(ended_at=None), name="notification_due"),
            models.Index(fields=["instance"], condition=models.Q(ended_at=None), name="notification_of_instance"),
        ]

    def __str__(self) -> str:
        return f"notification of {self.action_id}"
