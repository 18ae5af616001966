"""What the approval queue, its outbox and its audit chain hold right now, for the metrics. By partial indexes, never a whole table."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min, QuerySet

from approvals.models import Action, ActionStatus, AuditHead, Notification


class Heap(NamedTuple):
    """How many there are, and since when there is the oldest; None where there is none."""

    depth: int
    oldest_at: datetime | None


def pending_actions() -> dict[str, Heap]:
    """What waits for a decision, by environment; only those where something does. One query."""
    pending = Action.objects.filter(status=ActionStatus.PENDING).values("environment_id").order_by()
    rows = pending.annotate(depth=Count("id"), oldest_at=Min("created_at"))
    return {row["environment_id"]: Heap(row["depth"], row["oldest_at"]) for row in rows}


def unreported_claims() -> Heap:
    """Actions that were started and not reported on. One query."""
    return _heap(Action.objects.filter(outcome="", claimed_at__isnull=False), "claimed_at")


def unknown_outcomes() -> Heap:
    """Actions of unknown outcome that nobody has looked into. One query."""
    return _heap(Action.objects.filter(outcome="unknown", reconciled_as=""), "outcome_at")


def outbox() -> Heap:
    """Notifications that are neither delivered nor given up. One query."""
    return _heap(Notification.objects.filter(ended_at=None), "created_at")


def audit_head_seq() -> int:
    """The number of the audit chain's last entry. One query."""
    return AuditHead.objects.filter(id=1).values_list("seq", flat=True).first() or 0


def _heap(rows: QuerySet[Action] | QuerySet[Notification], since: str) -> Heap:
    found = rows.aggregate(depth=Count("id"), oldest_at=Min(since))
    return Heap(found["depth"], found["oldest_at"])
