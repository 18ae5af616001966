"""The policy: an ordered list of rules, kept whole in each of its versions."""

from django.conf import settings
from django.db import models


class PolicyVersion(models.Model):
    """A version of the policy. The highest number is in force; none is ever changed or deleted.

    `rules` is what `approvals.policy.parse_rules` reads.
    """

    number = models.PositiveIntegerField(primary_key=True)
    rules = models.JSONField(default=list)
    comment = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)

    def __str__(self) -> str:
        return f"policy {self.number}"
