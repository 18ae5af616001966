"""From valid items to rows: the columns of the tables, cleaned."""

from datetime import datetime
from typing import Any

from agentconsole.protocol.times import iso
from runs.ingest.clean import Cleaner
from runs.ingest.merge import SpanRow
from runs.ingest.wire import EventItem, RunFinished, RunStarted, SpanItem, Tick

Row = dict[str, Any]
FILLED_LATER = 0


def tick_row(item: Tick, cleaner: Cleaner) -> Row:
    """A PhaseTick's columns. What the sender added beyond the schema goes nowhere: a tick has no attributes."""
    return {
        "run_id": item.run,
        "id": item.id,
        "seq": FILLED_LATER,
        "at": item.at,
        "phase": cleaner.label(item.phase, "phase"),
        "state": item.state,
        "detail": cleaner.label(item.detail, "detail")[:500],
    }


def event_row(item: EventItem, cleaner: Cleaner) -> Row:
    """A TraceEvent's columns."""
    return {
        "run_id": item.run,
        "id": item.id,
        "seq": FILLED_LATER,
        "at": item.at,
        "level": item.level.value,
        "token": item.token,
        "message": cleaner.prose(item.message, "message"),
        "fields": cleaner.structure(_with_extra(item, item.fields), "fields"),
        "span_id": item.span or "",
        "cut": cleaner.cut,
        "adds": None,
    }


def span_row(item: SpanItem, cleaner: Cleaner) -> SpanRow:
    """A Span's columns."""
    row: SpanRow = {
        "run_id": item.run,
        "span_id": item.id,
        "seq": FILLED_LATER,
        "parent_id": item.parent or "",
        "trace_id": item.trace_id or "",
        "kind": item.kind,
        "name": cleaner.label(item.name, "name")[:200],
        "agent": cleaner.label(item.agent, "agent")[:200],
        "phase": cleaner.label(item.phase, "phase")[:100],
        "started_at": item.at,
        "ended_at": item.ended_at,
        "outcome": item.outcome or ("unreported" if item.ended_at else "running"),
        "message": cleaner.prose(item.message, "message"),
        "retryable": item.retryable,
        "elapsed_ms": item.elapsed_ms if item.elapsed_ms is not None else elapsed_ms(item.at, item.ended_at),
        "soft_ms": item.budget.soft_ms if item.budget else None,
        "hard_ms": item.budget.hard_ms if item.budget else None,
        "attempts": _attempts(item, cleaner),
        "hint": _hint(item, cleaner),
        "arguments": cleaner.payload(item.arguments, "arguments"),
        "result": cleaner.payload(item.result, "result"),
        "attributes": cleaner.structure(_with_extra(item, item.attributes), "attributes"),
        "mapping": None,
    }
    told = {place: part.model_dump() for place, part in item.cut.items()} if cleaner.keeps_content else {}
    row["cut"] = told | cleaner.cut
    return row


def _with_extra(item: EventItem | SpanItem | RunStarted, declared: dict[str, Any]) -> dict[str, Any]:
    """What the sender declared, and the fields that the schema does not know."""
    return {**item.model_extra, **declared} if item.model_extra else declared


def elapsed_ms(started_at: datetime, ended_at: datetime | None) -> int | None:
    """How long a span took by its own clock; None while it is open, and where that clock went backwards."""
    if ended_at is None or ended_at < started_at:
        return None
    return round((ended_at - started_at).total_seconds() * 1000)


def _attempts(item: SpanItem, cleaner: Cleaner) -> list[Row]:
    return [
        {
            "at": iso(attempt.at),
            "elapsed_ms": attempt.elapsed_ms,
            "outcome": attempt.outcome.value,
            "message": cleaner.label(attempt.message, f"attempts.{index}.message"),
        }
        for index, attempt in enumerate(item.attempts)
    ]


def _hint(item: SpanItem, cleaner: Cleaner) -> dict[str, str] | None:
    if item.hint is None:
        return None
    return {
        "fallback_to": cleaner.label(item.hint.fallback_to, "hint.fallback_to"),
        "reason": cleaner.label(item.hint.reason, "hint.reason"),
    }


def start_row(item: RunStarted, cleaner: Cleaner) -> Row:
    """The columns of a Run that its start tells."""
    return {
        "request_id": item.request_id,
        "trace_id": item.trace_id or "",
        "session_id": cleaner.label(item.session_id, "session_id")[:200],
        "transport": item.transport.value,
        "subject": cleaner.label(item.subject, "subject")[:200],
        "on_behalf_of": cleaner.label(item.on_behalf_of, "on_behalf_of")[:200],
        "query": cleaner.prose(item.query, "query"),
        "attributes": cleaner.structure(_with_extra(item, item.attributes), "attributes"),
        "started_at": item.at,
        "deadline_at": item.deadline,
        "heartbeat_s": item.heartbeat_s,
        "lease_s": item.lease_s,
        "cut": cleaner.cut,
    }


def finish_row(item: RunFinished, cleaner: Cleaner) -> Row:
    """The columns of a Run that its end tells."""
    return {
        "status": item.status,
        "ended_at": item.at,
        "summary": cleaner.prose(item.summary, "summary"),
        "error": cleaner.prose(item.error, "error"),
        "cut": cleaner.cut,
    }
