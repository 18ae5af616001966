"""Items as OTLP/JSON (https://opentelemetry.io/docs/specs/otel/protocol/file-exporter): in words that every backend knows, and whole beside them.

Each span and record carries its item in the attribute `agentconsole.item`: a console that takes it in stores that (`traces.otlp.own`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agentconsole.protocol.envelope import Outcome
from runs.models import Run, SpanKind
from traces.exporting.items import Item
from traces.otlp.own import ITEM

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTERNAL, _CLIENT = 1, 3
_OK, _ERROR = 1, 2
_GOOD = frozenset({Outcome.OK, Outcome.SLOW, Outcome.EMPTY})
_OPERATIONS = {
    SpanKind.TOOL: ("execute_tool", "gen_ai.tool.name"),
    SpanKind.SUBAGENT: ("invoke_agent", "gen_ai.agent.name"),
    SpanKind.MODEL: ("chat", "gen_ai.request.model"),
}
_SEVERITIES = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}


def export_of(run: Run, items: Sequence[Item]) -> dict[str, Any]:
    """An export request of spans, of records, or of both: each of OTLP's two paths takes what is its own."""
    about = {"service.name": run.agent.name, "deployment.environment.name": run.environment_id}
    resource = {"attributes": _attributes(about)}
    spans = [_span(item, run) for item in items if item["type"] == "span"]
    records = [_record(item, run) for item in items if item["type"] != "span"]
    scope = {"name": "agentconsole"}
    request: dict[str, Any] = {}
    if spans:
        request["resourceSpans"] = [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]
    if records:
        request["resourceLogs"] = [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}]
    return request


def _span(item: Item, run: Run) -> dict[str, Any]:
    operation, name_of = _OPERATIONS.get(item["kind"], ("", ""))
    outcome, is_good = item["outcome"], item["outcome"] in _GOOD
    told = {
        "request.id": run.request_id,
        "session.id": run.session_id,
        "gen_ai.operation.name": operation,
        name_of: item["name"],
        "gen_ai.tool.call.arguments": item["arguments"] if operation == "execute_tool" else None,
        "gen_ai.tool.call.result": item["result"] if operation == "execute_tool" else None,
        "error.type": None if is_good or outcome not in frozenset(Outcome) else outcome,
        ITEM: _dump(item),
    }
    return {
        "traceId": item["trace_id"] or _trace_of(run),
        "spanId": item["id"],
        "parentSpanId": item["parent"] or "",
        "name": f"{operation} {item['name']}".strip(),
        "kind": _CLIENT if operation == "chat" else _INTERNAL,
        "startTimeUnixNano": _nanos(item["at"]),
        **({"endTimeUnixNano": _nanos(item["ended_at"])} if item["ended_at"] else {}),
        "attributes": _attributes(told),
        "status": {"code": _OK}
        if is_good
        else {"code": _ERROR, "message": item["message"]}
        if told["error.type"]
        else {},
    }


def _record(item: Item, run: Run) -> dict[str, Any]:
    name = item.get("token") or f"{item['type']} {item.get('phase', '')} {item.get('state', '')}".strip()
    return {
        "timeUnixNano": _nanos(item["at"]),
        "severityNumber": _SEVERITIES[item.get("level", "info")],
        "eventName": name,
        "body": {"stringValue": item.get("message") or name},
        "attributes": _attributes({"request.id": run.request_id, "session.id": run.session_id, ITEM: _dump(item)}),
        "traceId": _trace_of(run),
        "spanId": item.get("span") or "",
    }


def _trace_of(run: Run) -> str:
    """A run without a trace is one by itself: its id has as many digits."""
    return run.trace_id or run.id.hex


def _attributes(told: Mapping[str, str | None]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items() if key and value]


def _nanos(at: str) -> str:
    return str((datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND * 1000)


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
