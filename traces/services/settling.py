"""Ending the runs that are known from their spans alone. May run twice, on two workers at once, and be killed at any point.

Their lease is short: when it is over, the run has ended if its root has and no span is open. Else it has until OTLP_LEASE_S after
the last news, for which a source that reports spans only as they end may well be silent; then it has ended without its root, or
has stalled with what is open. What comes later makes it run, and settle, again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.fields.json import KT
from django.utils import timezone

from agentconsole import live
from agentconsole.logconf import get_logger
from runs.ingest import store
from runs.models import Run, RunStatus, Span
from runs.queries.overdue import overdue_runs
from runs.queries.shapes import iso
from traces.verdict import SettledSpan, has_open, is_over, verdict_of

log = get_logger(__name__)

RUNS_A_BATCH = 200
SPANS_A_BATCH = 20_000
BATCHES_A_SWEEP = 100
_CHANGED = (
    "id", "status", "ended_at", "error", "source", "lease_expires_at", "seq", "summary_seq", "updated_at",
)  # fmt: skip


def settle_traced_runs() -> int:
    """End the traced runs that are over; how many. What is left over is the next sweep's."""
    settled = 0
    for _ in range(BATCHES_A_SWEEP):
        looked_at, ended = _settle_batch()
        settled += ended
        if looked_at == 0:
            break
    return settled


def _settle_batch() -> tuple[int, int]:
    due = overdue_runs(timezone.now(), is_traced=True)
    if not due.exists():
        return 0, 0
    with transaction.atomic():
        chosen = due.select_for_update(skip_locked=True).order_by("lease_expires_at")[:RUNS_A_BATCH]
        runs = list(_within(chosen))
        spans = _spans_of([run.id for run in runs])
        now = timezone.now()
        changed = [run for run in runs if _settle(run, spans.get(run.id, ()), now)]
        store.update_each(Run, [{column: getattr(run, column) for column in _CHANGED} for run in runs], key="id")
        if changed:
            live.publish_on_commit(
                {f"run:{run.id}": run.seq for run in changed}
                | {f"runs:{run.environment_id}": iso(now) for run in changed}
            )
    for run in changed:
        names = {"run_id": str(run.id), "request_id": run.request_id, "environment": run.environment_id}
        if run.is_ended:
            log.info("RUN_FINISHED", **names, status=run.status, known_from="spans")
        else:
            log.warning("RUN_STALLED", **names, silent_s=round((now - run.last_seen_at).total_seconds()))
    return len(runs), sum(run.is_ended for run in changed)


def _within(chosen: Sequence[Run] | Any) -> Iterator[Run]:
    """As many as have SPANS_A_BATCH spans together, but one at least."""
    budget = SPANS_A_BATCH
    for number, run in enumerate(chosen):
        budget -= run.span_count
        if budget < 0 and number:
            return
        yield run


def _settle(run: Run, spans: Sequence[SettledSpan], now: datetime) -> bool:
    """End it, have it stall, or have it wait. False: it waits."""
    last = run.last_seen_at + timedelta(seconds=run.lease_s)
    if not is_over(spans) and now < last:
        run.lease_expires_at = last
        return False
    if not spans or has_open(spans):
        run.status = RunStatus.STALLED
    else:
        verdict = verdict_of(spans)
        run.status, run.ended_at, run.error = verdict.status, verdict.ended_at, verdict.error
        run.source = {**(run.source or {}), "notes": list(verdict.notes)}
    run.seq += 1
    run.summary_seq, run.updated_at = run.seq, now
    return True


def _spans_of(run_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[SettledSpan]]:
    found: dict[UUID, list[SettledSpan]] = defaultdict(list)
    rows = Span.objects.filter(run_id__in=run_ids, approval_id=None).values_list(
        "run_id", "span_id", "parent_id", "kind", KT("mapping__role"), "name", "outcome", "message", "started_at",
        "ended_at", KT("mapping__placed__top"), KT("mapping__entry"),
    )  # fmt: skip
    for run_id, *told in rows:
        found[run_id].append(SettledSpan(*told))
    return found
