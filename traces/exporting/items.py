"""Rows as items of the native ingest (`runs.ingest.wire`). Pure: what an item has no field for is left out.

That is the console's own knowledge: its numbers, which action a wait was for, how a span that came by OTLP was placed.
"""

from typing import Any

from agentconsole.protocol.envelope import SpanState
from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.models.run import TERMINAL
from runs.queries.shapes import iso, iso_or_none

Item = dict[str, Any]

_OPEN = (SpanState.RUNNING.value, SpanState.WAITING.value)
_CUT_IN_ITEMS = ("arguments", "result", "message")


def start_item(run: Run) -> Item:
    """That the run began."""
    return {
        "type": "run.started",
        "id": str(run.id),
        "at": iso(run.started_at),
        "request_id": run.request_id or str(run.id),
        "transport": run.transport,
        "query": run.query,
        "subject": run.subject,
        "on_behalf_of": run.on_behalf_of,
        "session_id": run.session_id,
        "trace_id": run.trace_id or None,
        "deadline": iso_or_none(run.deadline_at),
        "heartbeat_s": run.heartbeat_s,
        "lease_s": run.lease_s,
        "attributes": run.attributes,
    }


def finish_item(run: Run) -> Item | None:
    """That the run ended; None where it has not, or no longer shows a sign of life."""
    if run.status not in TERMINAL or run.ended_at is None:
        return None
    told = {"status": run.status, "summary": run.summary, "error": run.error}
    return {"type": "run.finished", "id": str(run.id), "at": iso(run.ended_at), **told}


def tick_item(tick: PhaseTick) -> Item:
    """A phase tick."""
    told = {"phase": tick.phase, "state": tick.state, "detail": tick.detail}
    return {"type": "tick", "id": str(tick.id), "run": str(tick.run_id), "at": iso(tick.at), **told}


def span_item(span: Span) -> Item:
    """A span, with what was cut of its texts."""
    budget = {"soft_ms": span.soft_ms, "hard_ms": span.hard_ms}
    return {
        "type": "span",
        "id": span.span_id,
        "run": str(span.run_id),
        "at": iso(span.started_at),
        "kind": span.kind,
        "name": span.name,
        "parent": span.parent_id or None,
        "phase": span.phase,
        "agent": span.agent,
        "ended_at": iso_or_none(span.ended_at),
        "outcome": span.outcome if span.ended_at or span.outcome in _OPEN else None,
        "arguments": span.arguments,
        "result": span.result,
        "message": span.message,
        "retryable": span.retryable,
        "elapsed_ms": span.elapsed_ms,
        "budget": None if None in budget.values() else budget,
        "attempts": span.attempts,
        "hint": span.hint,
        "cut": {place: cut for place, cut in span.cut.items() if place in _CUT_IN_ITEMS},
        "trace_id": span.trace_id or None,
        "attributes": span.attributes,
    }


def event_item(event: TraceEvent) -> Item:
    """A trace event."""
    told = {"token": event.token, "level": event.level, "message": event.message, "fields": event.fields}
    place = {"id": str(event.id), "run": str(event.run_id), "at": iso(event.at), "span": event.span_id or None}
    return {"type": "event", **place, **told}
