"""The JSON shapes of a run and its log: one for first paint, API and socket frames alike (docs/architecture.md)."""

from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from agentconsole.protocol.times import iso as iso  # noqa: PLC0414  part of the shapes, and imported with them
from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.queries.source_shapes import MappedShape, SourceShape, mapped_shape, source_shape


class RunShape(TypedDict):
    """A run's summary."""

    id: str
    request_id: str
    trace_id: str
    session_id: str
    agent: str
    environment: str
    status: str
    transport: str
    actor: str
    subject: str
    on_behalf_of: str
    query: str
    started_at: str
    ended_at: str | None
    deadline_at: str | None
    last_seen_at: str
    heartbeat_s: float
    lease_s: float
    phase: str
    phase_at: str | None
    tools: dict[str, int]
    spans: int
    events: int
    error: str
    summary: str
    skew_ms: int
    start_received: bool
    source: SourceShape | None
    seq: int


class TickShape(TypedDict):
    """One phase tick."""

    id: str
    at: str
    phase: str
    state: str
    detail: str
    seq: int


class SpanShape(TypedDict):
    """A span as rows of the waterfall need it: without its arguments and result.

    `approval` is the id of the action that the run waited for, "" unless it is a span of the console's own.
    """

    id: str
    parent: str
    kind: str
    name: str
    agent: str
    phase: str
    at: str
    ended_at: str | None
    outcome: str
    message: str
    elapsed_ms: int | None
    soft_ms: int | None
    hard_ms: int | None
    attempts: list[dict[str, Any]]
    approval: str
    seq: int


class TextShape(TypedDict):
    """A text that may have been cut: `cut_at` is the offset of the marker in `text`, None if it is whole."""

    text: str
    chars: int
    sha256: str | None
    cut_at: int | None
    cut_chars: int


class WholeSpanShape(SpanShape):
    """A span with all that is kept of it. `mapped` says why a span that came by OTLP is shown as it is.

    `attributes_left_out` is how many characters of attributes were more than a span may have.
    """

    arguments: TextShape | None
    result: TextShape | None
    retryable: bool
    hint: dict[str, str] | None
    trace_id: str
    attributes: dict[str, Any]
    attributes_left_out: int
    mapped: MappedShape | None


class EventShape(TypedDict):
    """One trace event."""

    id: str
    at: str
    level: str
    token: str
    message: str
    fields: dict[str, Any]
    span: str
    seq: int


LIGHT_SPAN_COLUMNS = (
    "run_id", "span_id", "seq", "parent_id", "kind", "name", "agent", "phase", "started_at", "ended_at", "outcome",
    "message", "elapsed_ms", "soft_ms", "hard_ms", "attempts", "approval_id",
)  # fmt: skip


def iso_or_none(at: datetime | None) -> str | None:
    """`iso`, or None."""
    return iso(at) if at else None


def run_shape(run: Run) -> RunShape:
    """The shape of a run whose `agent` is loaded."""
    return {
        "id": str(run.id),
        "request_id": run.request_id,
        "trace_id": run.trace_id,
        "session_id": run.session_id,
        "agent": run.agent.name,
        "environment": run.environment_id,
        "status": run.status,
        "transport": run.transport,
        "actor": run.actor,
        "subject": run.subject,
        "on_behalf_of": run.on_behalf_of,
        "query": run.query,
        "started_at": iso(run.started_at),
        "ended_at": iso_or_none(run.ended_at),
        "deadline_at": iso_or_none(run.deadline_at),
        "last_seen_at": iso(run.last_seen_at),
        "heartbeat_s": run.heartbeat_s,
        "lease_s": run.lease_s,
        "phase": run.phase,
        "phase_at": iso_or_none(run.phase_at),
        "tools": run.tools,
        "spans": run.span_count,
        "events": run.event_count,
        "error": run.error,
        "summary": run.summary,
        "skew_ms": run.clock_skew_ms,
        "start_received": run.is_start_received,
        "source": source_shape(run),
        "seq": run.summary_seq,
    }


def tick_shape(tick: PhaseTick) -> TickShape:
    """The shape of a tick."""
    return {
        "id": str(tick.id),
        "at": iso(tick.at),
        "phase": tick.phase,
        "state": tick.state,
        "detail": tick.detail,
        "seq": tick.seq,
    }


def span_shape(span: Span) -> SpanShape:
    """The light shape of a span; LIGHT_SPAN_COLUMNS suffice."""
    return {
        "id": span.span_id,
        "parent": span.parent_id,
        "kind": span.kind,
        "name": span.name,
        "agent": span.agent,
        "phase": span.phase,
        "at": iso(span.started_at),
        "ended_at": iso_or_none(span.ended_at),
        "outcome": span.outcome,
        "message": span.message,
        "elapsed_ms": span.elapsed_ms,
        "soft_ms": span.soft_ms,
        "hard_ms": span.hard_ms,
        "attempts": span.attempts,
        "approval": str(span.approval_id or ""),
        "seq": span.seq,
    }


def whole_span_shape(span: Span) -> WholeSpanShape:
    """A span with its arguments, result and attributes."""
    return {
        **span_shape(span),
        "arguments": text_shape(span, "arguments"),
        "result": text_shape(span, "result"),
        "retryable": span.retryable,
        "hint": span.hint,
        "trace_id": span.trace_id,
        "attributes": span.attributes,
        "attributes_left_out": span.cut.get("attributes", {}).get("left_out", 0),
        "mapped": mapped_shape(span),
    }


def text_shape(span: Span, column: str) -> TextShape | None:
    """The `arguments` or `result` of a span, with what is known of its cut; None if it was never reported."""
    text = getattr(span, column)
    if text is None:
        return None
    cut = span.cut.get(column)
    if cut is None:
        return {"text": text, "chars": len(text), "sha256": None, "cut_at": None, "cut_chars": 0}
    return {
        "text": text,
        "chars": cut["chars"],
        "sha256": cut["sha256"],
        "cut_at": cut["at"],
        "cut_chars": cut["left_out"],
    }


def event_shape(event: TraceEvent) -> EventShape:
    """The shape of an event."""
    return {
        "id": str(event.id),
        "at": iso(event.at),
        "level": event.level,
        "token": event.token,
        "message": event.message,
        "fields": event.fields,
        "span": event.span_id,
        "seq": event.seq,
    }
