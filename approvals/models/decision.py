"""What people said of an action, and who is looking at it."""

from django.conf import settings
from django.db import models

from approvals.models.action import FINGERPRINT_CHARS, Action


class Verdict(models.TextChoices):
    """What a person may say of an action."""

    APPROVE = "approve"
    DENY = "deny"


class Vote(models.Model):
    """One person's verdict on one action, once, with the digest of exactly what they were shown."""

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="votes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    action_version = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=FINGERPRINT_CHARS)
    presentation_digest = models.CharField(max_length=80)
    was_fresh_login = models.BooleanField(default=False)
    request_id = models.CharField(max_length=128)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "person"], name="one_vote_per_person")]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.person_id}"


class BreakGlass(models.Model):
    """An admin approved alone, past quorum and group, and said why. Loud until a second person has reviewed it."""

    action = models.OneToOneField(Action, on_delete=models.CASCADE, related_name="break_glass")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="broken_glass")
    reason = models.TextField()
    at = models.DateTimeField()
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="reviewed_glass"
    )
    reviewed_at = models.DateTimeField(null=True)
    review_note = models.TextField(blank=True)

    class Meta:
        indexes = [
            # The banner on every page.
            models.Index(fields=["at"], condition=models.Q(reviewed_at=None), name="glass_unreviewed"),
        ]

    def __str__(self) -> str:
        return f"break-glass on {self.action_id}"


class Presence(models.Model):
    """A person has an action open in a browser; `seen_at` is renewed while they do."""

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="presences")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presences")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "person"], name="presence_once")]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.action_id}"
