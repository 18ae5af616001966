"""Sweeps: what no request does. Each may run twice, on two workers at once, and be killed at any point."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min
from django.utils import timezone

from agentconsole import live
from agentconsole.logconf import get_logger
from runs.models import LOG_TABLES, Run, RunStatus
from runs.queries.overdue import overdue_runs
from runs.queries.retention import cutoffs, expired_runs
from runs.queries.shapes import iso
from runs.services.partitions import drop_expired_months

log = get_logger(__name__)

RUNS_A_BATCH = 200
ROWS_A_BATCH = 2_000
# SQLite gives its lock to whoever asks at the right moment: between batches, let those who wait be the ones.
PAUSE_S = 0.01
BATCHES_A_SWEEP = 500
# For so long a person may approve the bundled agent's proposal to prune before the sweep does it unasked.
SWEEP_GRACE = timedelta(days=1)


def stall_silent_runs() -> int:
    """Mark live runs whose lease ran out as stalled; how many. What is left over is the next sweep's.

    Runs that are known from their spans alone owe no sign of life: `traces.services.settling` ends them.
    """
    stalled = 0
    for _ in range(BATCHES_A_SWEEP):
        batch = _stall_batch()
        stalled += batch
        if batch < RUNS_A_BATCH:
            break
    return stalled


def _stall_batch() -> int:
    now = timezone.now()
    silent = overdue_runs(now, is_traced=False)
    if not silent.exists():
        return 0
    with transaction.atomic():
        # Under the lock the condition holds: a run that an ingest has in hand is skipped, and so is one that it renewed.
        runs = list(
            silent.select_for_update(skip_locked=True)
            .only("id", "seq", "request_id", "environment_id", "last_seen_at")
            .order_by("lease_expires_at")[:RUNS_A_BATCH]
        )
        now = timezone.now()
        Run.objects.filter(id__in=[run.id for run in runs]).update(
            status=RunStatus.STALLED, seq=F("seq") + 1, summary_seq=F("seq") + 1, updated_at=now
        )
        live.publish_on_commit(
            {f"run:{run.id}": run.seq + 1 for run in runs} | {f"runs:{run.environment_id}": iso(now) for run in runs}
        )
    for run in runs:
        names = {"run_id": str(run.id), "request_id": run.request_id, "environment": run.environment_id}
        log.warning("RUN_STALLED", **names, silent_s=round((now - run.last_seen_at).total_seconds()))
    return len(runs)


@dataclass(slots=True)
class Pruned:
    """What a sweep deleted, and whether it got through all there was. `rows` are those that it deleted one by one."""

    months: int = 0
    runs: int = 0
    rows: int = 0
    batches: int = 0
    is_done: bool = True


def prune_expired_runs() -> Pruned:
    """Delete runs past the retention of their environment and SWEEP_GRACE, each with its log, in short transactions.

    Finished runs, and stalled ones that never will finish. Bounded: `is_done` is false if there may be more. Where all runs of
    a month are past it, PostgreSQL drops their logs first, at once.
    """
    limits = cutoffs(timezone.now() - SWEEP_GRACE)
    total = Pruned(months=drop_expired_months(limits))
    for environment, cutoff in limits.items():
        found = prune_environment(environment, cutoff, batches=BATCHES_A_SWEEP - total.batches)
        total.runs += found.runs
        total.rows += found.rows
        total.batches += found.batches
        total.is_done = total.is_done and found.is_done
    return total


def prune_environment(environment: str, cutoff: datetime, *, batches: int = BATCHES_A_SWEEP) -> Pruned:
    """Delete the finished and stalled runs of one environment that were not heard of since `cutoff`, in at most `batches`."""
    found = Pruned(is_done=False)
    while found.batches < batches and not found.is_done:
        found.batches += 1
        _prune_batch(environment, cutoff, found)
        time.sleep(PAUSE_S)
    if found.rows:
        log.info("RUNS_PRUNED", environment=environment, runs=found.runs, rows=found.rows, before=cutoff)
    return found


def _prune_batch(environment: str, cutoff: datetime, found: Pruned) -> None:
    """Delete as many whole runs as fit in a short transaction, or a piece of the log of one that fits in none.

    A run's `seq` counts every row of its log at least once, so it bounds what deleting the run costs.
    """
    expired = expired_runs(environment, cutoff)
    if not expired.exists():
        found.is_done = True
        return
    with transaction.atomic():
        chosen = list(
            expired.select_for_update(skip_locked=True).order_by("last_seen_at").values_list("id", "seq")[:RUNS_A_BATCH]
        )
        if not chosen:
            # Another worker has what there is in hand.
            found.is_done = True
            return
        small = list(_within(chosen, ROWS_A_BATCH))
        if small or not _cut_log(chosen[0][0], found):
            _delete_runs(small or [chosen[0][0]], found)


def _within(chosen: list[tuple[UUID, int]], budget: int) -> Iterator[UUID]:
    for run_id, seq in chosen:
        budget -= seq + 1
        if budget < 0:
            return
        yield run_id


def _cut_log(run_id: UUID, found: Pruned) -> int:
    """Delete the beginning of what is left of a long run's log; how many rows. Killed after it, the next sweep goes on."""
    firsts = [table._default_manager.filter(run_id=run_id).aggregate(first=Min("seq"))["first"] for table in LOG_TABLES]
    known = [first for first in firsts if first is not None]
    if not known:
        return 0
    upto = min(known) + ROWS_A_BATCH
    rows = sum(table._default_manager.filter(run_id=run_id, seq__lt=upto).delete()[0] for table in LOG_TABLES)
    found.rows += rows
    return rows


def _delete_runs(run_ids: list[UUID], found: Pruned) -> None:
    # The cascade is Django's: one statement a table, and a table that will refer to runs is not forgotten.
    rows, by_table = Run.objects.filter(id__in=run_ids).delete()
    found.rows += rows
    found.runs += by_table.get(Run._meta.label, 0)
