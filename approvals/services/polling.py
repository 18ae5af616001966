"""A sign of life of whoever waits for a decision."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from approvals.models import Action

_STEP = timedelta(seconds=10)


def note_poll(action_id: UUID) -> None:
    """The action's agent asked for it just now. Written at most every ten seconds; no new version for those who look at it."""
    now = timezone.now()
    stale = Q(last_polled_at=None) | Q(last_polled_at__lt=now - _STEP)
    Action.objects.filter(stale, id=action_id).update(last_polled_at=now)
