"""Live runs whose lease is over: those that the sweeps look for."""

from datetime import datetime

from django.db.models import QuerySet

from runs.models import Run
from runs.models.run import LIVE

# As the index run_leases has it, in so many words: SQLite takes a partial index only where it sees that its condition holds,
# and a parameter shows it nothing. It scanned the table.
_IS_LIVE = f"status IN ({', '.join(repr(status.value) for status in LIVE)})"


def overdue_runs(now: datetime, *, is_traced: bool) -> QuerySet[Run]:
    """By the index run_leases. `is_traced`: those that are known from their spans alone, else all others."""
    live = Run.objects.extra(where=[_IS_LIVE])  # noqa: S610  words of our own
    return live.filter(lease_expires_at__lt=now, source__isnull=not is_traced)
