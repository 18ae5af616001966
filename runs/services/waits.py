"""A run waits for a person, and goes on: its status and a span in its log, which stays as the record of the wait.

Both are for the caller's transaction and lock the run's row, as ingest does. Doing either again changes nothing.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from agentconsole import live
from agentconsole.logconf import get_logger
from agentconsole.protocol.envelope import SpanState
from runs.models import Run, RunStatus, Span, SpanKind
from runs.queries.shapes import iso
from runs.wait_spans import NAME_PREFIX, wait_span_id

log = get_logger(__name__)

_NAME_MAX = 200
_SUMMARY = (
    "status", "last_seen_at", "lease_expires_at", "span_count", "tools", "seq", "summary_seq", "updated_at",
)  # fmt: skip


def begin_wait(*, run: Run, action_id: UUID, name: str, at: datetime) -> None:
    """`run` waits for a decision on an action since `at`, by the console's clock. A run that has ended stays ended.

    The span's name begins with `approval: `. Nothing happens if the run was deleted, or the wait began before.
    """
    locked = _lock(run.id)
    if locked is None:
        return
    stored = Span.objects.filter(run_id=locked.id, span_id=wait_span_id(action_id)).first()
    if stored is not None and stored.approval_id is not None:
        return
    _count(locked, stored)
    Span(
        run_id=locked.id,
        span_id=wait_span_id(action_id),
        seq=_next_seq(locked),
        trace_id=locked.trace_id,
        kind=SpanKind.STEP,
        name=(NAME_PREFIX + name.removeprefix(NAME_PREFIX))[:_NAME_MAX],
        phase=locked.phase,
        started_at=at + _ahead(locked),
        outcome=SpanState.WAITING,
        attributes={"approval": str(action_id)},
        approval_id=action_id,
    ).save()
    if not locked.is_ended and locked.status != RunStatus.WAITING:
        locked.status = RunStatus.WAITING
        log.info("RUN_WAITING", run_id=str(locked.id), request_id=locked.request_id, action_id=str(action_id))
    _store(locked)


def end_wait(*, run_id: UUID, action_id: UUID, at: datetime, outcome: str, message: str) -> None:
    """The wait is over: `ok` if the action may run, `rejected` if not, with a message that says why in words.

    With its last open wait the run is running again and has a whole lease to show it. The first end stays; nothing
    happens if there is no such run or no such wait.
    """
    run = _lock(run_id)
    if run is None:
        return
    span = Span.objects.filter(run_id=run_id, span_id=wait_span_id(action_id), approval_id=action_id).first()
    if span is None or span.outcome != SpanState.WAITING:
        return
    span.ended_at = max(at + _ahead(run), span.started_at)
    span.elapsed_ms = round((span.ended_at - span.started_at) / timedelta(milliseconds=1))
    span.outcome, span.message, span.seq = outcome, message, _next_seq(run)
    span.save(update_fields=["ended_at", "elapsed_ms", "outcome", "message", "seq"])
    if run.status == RunStatus.WAITING and not _has_open_wait(run_id):
        # While a person decided, the agent owed no sign of life: it has one lease from here on.
        now = timezone.now()
        run.status, run.last_seen_at, run.lease_expires_at = (
            RunStatus.RUNNING,
            now,
            now + timedelta(seconds=run.lease_s),
        )
        log.info("RUN_CONTINUED", run_id=str(run_id), request_id=run.request_id, action_id=str(action_id))
    _store(run)


def _lock(run_id: UUID) -> Run | None:
    return Run.objects.select_for_update().filter(id=run_id).first()


def _count(run: Run, replaced: Span | None) -> None:
    """One more span, unless an agent's own has taken the id: that one goes, whatever it was."""
    if replaced is None:
        run.span_count += 1
    elif replaced.kind == SpanKind.TOOL:
        left = {**run.tools, replaced.outcome: run.tools.get(replaced.outcome, 0) - 1}
        run.tools = {outcome: number for outcome, number in left.items() if number > 0}


def _has_open_wait(run_id: UUID) -> bool:
    return Span.objects.filter(run_id=run_id, approval_id__isnull=False, outcome=SpanState.WAITING).exists()


def _ahead(run: Run) -> timedelta:
    """Waits stand in the run's timeline, which is the agent's clock."""
    return timedelta(milliseconds=run.clock_skew_ms)


def _next_seq(run: Run) -> int:
    run.seq += 1
    return run.seq


def _store(run: Run) -> None:
    """Number the run's own change, keep it, and tell once it is committed."""
    run.summary_seq = _next_seq(run)
    run.updated_at = timezone.now()
    run.save(update_fields=_SUMMARY)
    live.publish_on_commit({f"run:{run.id}": run.seq, f"runs:{run.environment_id}": iso(run.updated_at)})
