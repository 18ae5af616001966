"""The captures as shapes, read with the published protobuf classes: what the mapping is held to stands apart from the doors."""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from traces.otlp.shapes import OtlpEvent, OtlpLink, OtlpLog, OtlpSpan, Resource, Scope

CAPTURES = Path(__file__).parents[1] / "otlp" / "captures"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Capture:
    """What a framework sent in one session: its spans in the order of their coming, and its log records."""

    spans: tuple[OtlpSpan, ...]
    logs: tuple[OtlpLog, ...]


@cache
def capture(folder: str) -> Capture:
    """All bodies of a folder, decoded."""
    spans: list[OtlpSpan] = []
    logs: list[OtlpLog] = []
    for meta in sorted((CAPTURES / folder).glob("*.meta.json")):
        told = json.loads(meta.read_text())
        body = meta.with_name(meta.name.replace(".meta.json", ".pb")).read_bytes()
        body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        if told["path"].endswith("/v1/traces"):
            spans += _spans(body)
        elif told["path"].endswith("/v1/logs"):
            logs += _logs(body)
    return Capture(tuple(spans), tuple(logs))


def _spans(body: bytes) -> Iterator[OtlpSpan]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = Resource(_attributes(group.resource.attributes))
        for scoped in group.scope_spans:
            scope = Scope(scoped.scope.name, scoped.scope.version, _attributes(scoped.scope.attributes))
            for span in scoped.spans:
                yield OtlpSpan(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    started_at=_time(span.start_time_unix_nano),
                    ended_at=_time(span.end_time_unix_nano) if span.end_time_unix_nano else None,
                    kind=span.kind,
                    attributes=_attributes(span.attributes),
                    events=tuple(
                        OtlpEvent(_time(event.time_unix_nano), event.name, _attributes(event.attributes))
                        for event in span.events
                    ),
                    links=tuple(
                        OtlpLink(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes))
                        for link in span.links
                    ),
                    status_code=span.status.code,
                    status_message=span.status.message,
                    resource=resource,
                    scope=scope,
                )


def _logs(body: bytes) -> Iterator[OtlpLog]:
    for group in ExportLogsServiceRequest.FromString(body).resource_logs:
        resource = Resource(_attributes(group.resource.attributes))
        for scoped in group.scope_logs:
            for log in scoped.log_records:
                yield OtlpLog(
                    at=_time(log.time_unix_nano or log.observed_time_unix_nano),
                    severity=log.severity_number,
                    severity_text=log.severity_text,
                    body=_value(log.body),
                    event_name=log.event_name,
                    attributes=_attributes(log.attributes),
                    trace_id=log.trace_id.hex(),
                    span_id=log.span_id.hex(),
                    resource=resource,
                    scope=Scope(scoped.scope.name, scoped.scope.version, _attributes(scoped.scope.attributes)),
                )


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case kind:
            return getattr(value, kind)
