"""What the outbox still has to deliver."""

from datetime import datetime

from django.db.models import Min, Q
from django.utils import timezone

from approvals.models import Notification


def oldest_due_at() -> datetime | None:
    """Since when the longest waiting message is due that nobody attempts to deliver right now. One query."""
    now = timezone.now()
    free = Q(attempt_until=None) | Q(attempt_until__lte=now)
    waiting = Notification.objects.filter(free, ended_at=None, next_attempt_at__lte=now)
    due_at: datetime | None = waiting.aggregate(at=Min("next_attempt_at"))["at"]
    return due_at
