"""Made-up spans and records, as published conventions would have them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from traces.mapping.account import Role, SpanFacts
from traces.otlp.shapes import OtlpEvent, OtlpLog, OtlpSpan, Resource, Scope

BEGAN = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def at(seconds: float) -> datetime:
    """A moment, in seconds after all began."""
    return BEGAN + timedelta(seconds=seconds)


def span(
    name: str = "work",
    attributes: dict[str, Any] | None = None,
    *,
    scope: str = "made.up",
    events: tuple[tuple[str, dict[str, Any]], ...] = (),
    status: tuple[int, str] = (0, ""),
    parent: str = "",
    seconds: float | None = 1,
    resource: dict[str, Any] | None = None,
) -> OtlpSpan:
    """A span of one second; `status` is OTLP's code and message, `seconds` None one that has not ended."""
    return OtlpSpan(
        trace_id=TRACE,
        span_id="00f067aa0ba902b7",
        parent_id=parent,
        name=name,
        started_at=BEGAN,
        ended_at=None if seconds is None else at(seconds),
        attributes=attributes or {},
        events=tuple(OtlpEvent(BEGAN, event, given) for event, given in events),
        status_code=status[0],
        status_message=status[1],
        resource=Resource(resource or {}),
        scope=Scope(scope),
    )


def record(attributes: dict[str, Any] | None = None, *, scope: str = "made.up", **given: Any) -> OtlpLog:
    """A log record within a span."""
    return OtlpLog(
        at=BEGAN,
        attributes=attributes or {},
        trace_id=TRACE,
        span_id="00f067aa0ba902b7",
        scope=Scope(scope),
        **given,
    )


def fact(span_id: str, parent: str = "", role: Role = Role.STEP, **given: Any) -> SpanFacts:
    """What relating knows of a span; `start` and `end` in seconds."""
    start, end = given.pop("start", 0), given.pop("end", 1)
    told: dict[str, Any] = {"name": span_id, "agent": "", "outcome": "ok", **given}
    return SpanFacts(
        span_id=span_id,
        parent_id=parent,
        role=role,
        started_at=at(start),
        ended_at=None if end is None else at(end),
        **told,
    )
