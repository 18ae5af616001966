"""OTLP as protobuf. Pure.

Read straight from the messages: `google.protobuf.json_format` and pydantic on top of it took ten times as long.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from runs.ingest.errors import BodyTooLargeError, ItemError, MalformedBodyError
from traces.otlp.errors import BadSpanIdError, BadTraceIdError
from traces.otlp.reading import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_VALUES,
    MOST_KIND,
    MOST_SEVERITY,
    MOST_STATUS,
    TOO_DEEP,
    Reading,
    known,
    number,
    storable,
    told_of_rest,
)
from traces.otlp.shapes import Attributes, Export, OtlpEvent, OtlpLink, OtlpLog, OtlpSpan, Resource, Scope
from traces.otlp.wire import holds_more_messages, with_sound_texts

Request = TypeVar("Request", bound=Message)

# Each attribute is two, its pair and its value.
MAX_MESSAGES = 2 * MAX_VALUES
_LOOKED_THROUGH = 1024 * 1024
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_NO_TRACE, _NO_SPAN = bytes(_TRACE_BYTES), bytes(_SPAN_BYTES)


def read_traces(body: bytes, now: datetime) -> Export:
    """The spans of an ExportTraceServiceRequest. MalformedBodyError, BodyTooLargeError."""
    reading = Reading(now)
    for group in _parsed(ExportTraceServiceRequest, body).resource_spans:
        resource = Resource(_attributes(group.resource.attributes, reading))
        for part in group.scope_spans:
            scope = _scope(part.scope, reading)
            for span in reading.counted(part.spans):
                try:
                    reading.spans.append(_span(span, resource, scope, reading))
                except ItemError as error:
                    reading.refuse(error, span.span_id.hex())
    return reading.export()


def read_logs(body: bytes, now: datetime) -> Export:
    """The records of an ExportLogsServiceRequest. MalformedBodyError, BodyTooLargeError."""
    reading = Reading(now)
    for group in _parsed(ExportLogsServiceRequest, body).resource_logs:
        resource = Resource(_attributes(group.resource.attributes, reading))
        for part in group.scope_logs:
            scope = _scope(part.scope, reading)
            for record in reading.counted(part.log_records):
                try:
                    reading.logs.append(_log(record, resource, scope, reading))
                except ItemError as error:
                    reading.refuse(error, record.span_id.hex())
    return reading.export()


def _parsed(kind: type[Request], body: bytes) -> Request:
    if len(body) > _LOOKED_THROUGH and holds_more_messages(body, kind, MAX_MESSAGES):
        raise BodyTooLargeError(f"More than {MAX_VALUES} attributes in one export. Send smaller batches.")
    try:
        return kind.FromString(body)
    except DecodeError:
        pass
    try:
        return kind.FromString(with_sound_texts(body, kind, MAX_MESSAGES))
    except DecodeError as error:
        raise MalformedBodyError(
            f"The body is not a valid {kind.DESCRIPTOR.name}: cut short, or no protobuf."
        ) from error


def _span(span: trace_pb2.Span, resource: Resource, scope: Scope, reading: Reading) -> OtlpSpan:
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != _TRACE_BYTES or trace_id == _NO_TRACE:
        raise BadTraceIdError(f"The trace id has {len(trace_id)} bytes or is zero. Send 16 bytes, not all zero.")
    if len(span_id) != _SPAN_BYTES or span_id == _NO_SPAN:
        raise BadSpanIdError(f"The span id has {len(span_id)} bytes or is zero. Send 8 bytes, not all zero.")
    started_at = reading.time(span.start_time_unix_nano, "start_time_unix_nano")
    ended = span.end_time_unix_nano
    status = span.status
    return OtlpSpan(
        trace_id.hex(),
        span_id.hex(),
        _hex(span.parent_span_id, _SPAN_BYTES),
        storable(span.name),
        started_at,
        reading.time(ended, "end_time_unix_nano") if ended else None,
        known(span.kind, MOST_KIND),
        _attributes(span.attributes, reading),
        _events(span.events, started_at, reading) if span.events else (),
        _links(span.links, reading) if span.links else (),
        known(status.code, MOST_STATUS),
        storable(status.message),
        resource,
        scope,
    )


def _events(events: Sequence[trace_pb2.Span.Event], started_at: datetime, reading: Reading) -> tuple[OtlpEvent, ...]:
    reading.expect_values(len(events))
    return tuple(
        OtlpEvent(
            reading.time(event.time_unix_nano, "") if reading.is_time(event.time_unix_nano) else started_at,
            storable(event.name),
            _attributes(event.attributes, reading),
        )
        for event in events
    )


def _links(links: Sequence[trace_pb2.Span.Link], reading: Reading) -> tuple[OtlpLink, ...]:
    reading.expect_values(len(links))
    read = (
        OtlpLink(
            _hex(link.trace_id, _TRACE_BYTES), _hex(link.span_id, _SPAN_BYTES), _attributes(link.attributes, reading)
        )
        for link in links
    )
    return tuple(link for link in read if link.trace_id and link.span_id)


def _log(record: logs_pb2.LogRecord, resource: Resource, scope: Scope, reading: Reading) -> OtlpLog:
    told = record.time_unix_nano or record.observed_time_unix_nano
    return OtlpLog(
        reading.time(told, "time_unix_nano") if told else reading.now,
        known(record.severity_number, MOST_SEVERITY),
        storable(record.severity_text),
        _value(record.body, 0),
        storable(record.event_name),
        _attributes(record.attributes, reading),
        _hex(record.trace_id, _TRACE_BYTES),
        _hex(record.span_id, _SPAN_BYTES),
        resource,
        scope,
    )


def _scope(scope: common_pb2.InstrumentationScope, reading: Reading) -> Scope:
    return Scope(storable(scope.name), storable(scope.version), _attributes(scope.attributes, reading))


def _hex(identifier: bytes, length: int) -> str:
    """An id that something can do without: "" where it is none."""
    return identifier.hex() if len(identifier) == length and any(identifier) else ""


def _attributes(given: Sequence[common_pb2.KeyValue], reading: Reading) -> Attributes:
    count = len(given)
    reading.expect_values(count)
    kept = {
        storable(pair.key): _value(pair.value, 0)
        for pair in (given if count <= MAX_ATTRIBUTES else given[:MAX_ATTRIBUTES])
    }
    return told_of_rest(kept, count)


def _value(value: common_pb2.AnyValue, depth: int) -> Any:
    # Nearly all are texts: asking for one is a third of the price of asking which it is.
    if text := value.string_value:
        return storable(text)
    reader = _READERS.get(value.WhichOneof("value"))
    return reader(value, depth) if reader else None


def _list(value: common_pb2.AnyValue, depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    return [_value(inner, depth + 1) for inner in value.array_value.values]


def _pairs(value: common_pb2.AnyValue, depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    return {storable(pair.key): _value(pair.value, depth + 1) for pair in value.kvlist_value.values}


_READERS: dict[str | None, Callable[[common_pb2.AnyValue, int], Any]] = {
    "string_value": lambda _value, _depth: "",
    "int_value": lambda value, _depth: value.int_value,
    "bool_value": lambda value, _depth: value.bool_value,
    "double_value": lambda value, _depth: number(value.double_value),
    "bytes_value": lambda value, _depth: b64encode(value.bytes_value).decode(),
    "array_value": _list,
    "kvlist_value": _pairs,
}
