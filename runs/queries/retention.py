"""Which runs are past their retention: one rule for the sweep that deletes them and the agent that tells of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from runs.models import Environment, Run, RunStatus
from runs.models.run import TERMINAL

_CENTURY_DAYS = 36_525
PRUNABLE = (*TERMINAL, RunStatus.STALLED)


def cutoffs(now: datetime) -> dict[str, datetime]:
    """Per environment, the time before which a run must have been heard of last to be past its retention. One query.

    An environment without `retention_days` has the console's; 0 days keeps for ever, as a century does.
    """
    own = Environment.objects.order_by("name").values_list("name", "retention_days")
    days = {name: settings.RETENTION_DAYS if kept is None else kept for name, kept in own}
    return {name: now - timedelta(days=count) for name, count in days.items() if 0 < count < _CENTURY_DAYS}


def expired_runs(environment: str, cutoff: datetime) -> QuerySet[Run]:
    """The environment's finished runs, and stalled ones that will never finish, not heard of since the cutoff."""
    return Run.objects.filter(environment=environment, last_seen_at__lt=cutoff, status__in=PRUNABLE)


def held_runs(first_id: UUID, end_id: UUID, limits: Mapping[str, datetime]) -> QuerySet[Run]:
    """Of the runs from one id to before another, those that are not past their environment's limit, and those that never will be."""
    expired = Q(pk__in=[])
    for environment, cutoff in limits.items():
        expired |= Q(environment=environment, last_seen_at__lt=cutoff)
    return Run.objects.filter(id__gte=first_id, id__lt=end_id).exclude(expired, status__in=PRUNABLE)
