"""Stand-ins until `traces.mapping` relates spans and reads log records."""

from collections.abc import Iterable

from runs.models import SpanKind
from traces.mapping.account import LogAccount, Placing, Role, SpanFacts
from traces.otlp.shapes import OtlpLog

_KINDS = {
    Role.AGENT: SpanKind.SUBAGENT,
    Role.WORKFLOW: SpanKind.SUBAGENT,
    Role.TOOL: SpanKind.TOOL,
    Role.MODEL: SpanKind.MODEL,
    Role.RETRIEVAL: SpanKind.RETRIEVAL,
}


def relate(facts: Iterable[SpanFacts]) -> dict[str, Placing]:
    """Each span by its role alone."""
    return {one.span_id: Placing(_KINDS.get(one.role, SpanKind.STEP).value, one.outcome) for one in facts}


def map_log(record: OtlpLog) -> LogAccount:
    """A record by its name alone."""
    token = record.event_name.upper().replace(".", "_") or "LOG_RECORD"
    return LogAccount(record.trace_id, record.span_id, record.at, token, "info", fields=dict(record.attributes))
