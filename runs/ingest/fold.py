"""What items mean for the summary of their run. Pure: works on a Run in memory, by rules that bear any order."""

from datetime import datetime, timedelta
from typing import Any

from runs.ingest.errors import AlreadyFinishedError
from runs.models import Run, RunStatus
from runs.models.run import TERMINAL

Row = dict[str, Any]


def blank_run(run_id: Any, *, at: datetime, now: datetime) -> Run:
    """A run of which nothing is known yet but that something of it came."""
    return Run(
        id=run_id,
        transport="rest",
        started_at=at,
        last_seen_at=now,
        lease_expires_at=now,
        updated_at=now,
        received_at=now,
    )


def fold_start(run: Run, row: Row) -> bool:
    """Take over what the start tells. False if it was told before: the first account stays."""
    if run.is_start_received:
        return False
    cuts = run.cut | row["cut"]
    for column, value in row.items():
        setattr(run, column, value)
    run.cut = cuts
    run.is_start_received = True
    return True


def fold_finish(run: Run, row: Row) -> bool:
    """End the run. False if it ended so before; AlreadyFinishedError if it ended otherwise: one end, ever."""
    if run.is_ended:
        if (run.status, run.ended_at) == (row["status"], row["ended_at"]):
            return False
        raise AlreadyFinishedError(f"This run ended as {run.status} before. The first end stays.")
    cuts = run.cut | row["cut"]
    for column, value in row.items():
        setattr(run, column, value)
    run.cut = cuts
    run.phase = ""
    return True


def fold_tick(run: Run, row: Row) -> None:
    """The phase that the run is in: the latest by the agent's clock, none once it was left."""
    if run.is_ended or (run.phase_at is not None and row["at"] < run.phase_at):
        return
    if row["state"] == "left":
        if run.phase == row["phase"]:
            run.phase, run.phase_at = "", row["at"]
    elif run.phase != row["phase"]:
        run.phase, run.phase_at = row["phase"], row["at"]


def fold_span(run: Run, stored: Row | None, merged: Row) -> None:
    """Count spans, and tool calls by outcome: a call that changes its outcome moves, one that turns out to be none goes."""
    if stored is None:
        run.span_count += 1
    was = stored["outcome"] if stored is not None and stored["kind"] == "tool" else None
    becomes = merged["outcome"] if merged["kind"] == "tool" else None
    if was == becomes:
        return
    tools = dict(run.tools)
    if was is not None:
        tools[was] = tools.get(was, 0) - 1
    if becomes is not None:
        tools[becomes] = tools.get(becomes, 0) + 1
    run.tools = {outcome: count for outcome, count in tools.items() if count > 0}


def fold_arrival(run: Run, *, first_at: datetime, request_id: str, now: datetime, skew_ms: int) -> bool:
    """Something of the run came: it lives. True if that wakes a stalled run."""
    if not run.is_start_received:
        run.started_at = min(run.started_at, first_at)
        run.request_id = run.request_id or request_id
    if skew_ms:
        run.clock_skew_ms = skew_ms
    woken = run.status == RunStatus.STALLED
    if woken:
        run.status = RunStatus.RUNNING
    if run.status not in TERMINAL:
        run.lease_expires_at = now + timedelta(seconds=run.lease_s)
    run.last_seen_at = run.updated_at = now
    return woken


def fold_traced_arrival(run: Run, *, now: datetime, settle_s: float) -> bool:
    """Something came of a run that is known from its spans alone: no one tells its end, so it runs until it has settled. True if it
    had ended."""
    had_ended = run.is_ended
    if had_ended:
        run.status, run.ended_at, run.error = RunStatus.RUNNING, None, ""
    run.lease_expires_at = now + timedelta(seconds=settle_s)
    return had_ended


def skew_of(sent_at: datetime | None, now: datetime, *, tolerated_ms: int = 2_000) -> int:
    """Milliseconds by which the sender's clock is ahead (positive) or behind, 0 within what a slow network explains."""
    if sent_at is None:
        return 0
    skew = round((sent_at - now).total_seconds() * 1000)
    return skew if abs(skew) > tolerated_ms else 0
