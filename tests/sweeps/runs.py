"""Runs of a certain age, sent through the ingest and then aged."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from runs.models import LOG_TABLES, Run, RunStatus
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, run_started, span, tick, whole_run


def live_run(agent: AgentCaller, *, silent_for: timedelta = timedelta(minutes=5), **more: Any) -> Run:
    """A run that has begun and is heard of no more: its lease is over."""
    run_id = new_run()
    agent.send(run_started(run_id, **more), tick(run_id), span(run_id))
    return aged(run_id, timezone.now() - silent_for)


def ended_run(agent: AgentCaller, *, days_ago: float, events: int = 0) -> Run:
    """A run that ended some days ago."""
    run_id = new_run()
    agent.send(*whole_run(run_id)[:-1], *(event(run_id) for _ in range(events)), whole_run(run_id)[-1])
    return aged(run_id, timezone.now() - timedelta(days=days_ago))


def aged(run_id: str, at: datetime) -> Run:
    """The run, as if it had been heard of last at a time."""
    run = Run.objects.get(id=run_id)
    run.last_seen_at = run.updated_at = at
    run.lease_expires_at = at + timedelta(seconds=run.lease_s)
    run.save(update_fields=["last_seen_at", "updated_at", "lease_expires_at"])
    return run


def set_status(run: Run, status: RunStatus) -> Run:
    run.status = status
    run.save(update_fields=["status"])
    return run


def rows_of(run: Run) -> int:
    """How many rows its log has."""
    return rows_of_id(str(run.id))


def rows_of_id(run_id: str) -> int:
    """The same, by its id."""
    return sum(table._default_manager.filter(run_id=run_id).count() for table in LOG_TABLES)


def orphans() -> int:
    """Rows of runs that are gone."""
    return sum(table._default_manager.exclude(run_id__in=Run.objects.values("id")).count() for table in LOG_TABLES)


def last_seq(run: Run) -> int:
    """The greatest number in its log and summary."""
    numbers = [
        table._default_manager.filter(run_id=run.id).aggregate(last=Max("seq"))["last"] or 0 for table in LOG_TABLES
    ]
    return max(*numbers, Run.objects.get(id=run.id).summary_seq)
