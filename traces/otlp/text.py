"""OTLP as JSON: ids are hex, 64-bit numbers are texts or numbers, enumerations numbers or names. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from runs.ingest.body import read_json
from runs.ingest.errors import BodyTooLargeError, ItemError, MalformedBodyError
from traces.otlp.errors import BadSpanIdError, BadTraceIdError, WrongTypeError
from traces.otlp.fields import (
    Part,
    any_value,
    as_part,
    choice_of,
    field,
    hex_of,
    list_of,
    part_of,
    sound,
    text_of,
    whole_of,
)
from traces.otlp.reading import (
    MAX_ATTRIBUTES,
    MAX_VALUES,
    MOST_KIND,
    MOST_SEVERITY,
    MOST_STATUS,
    Reading,
    told_of_rest,
)
from traces.otlp.shapes import Attributes, Export, OtlpEvent, OtlpLink, OtlpLog, OtlpSpan, Resource, Scope

Names = tuple[tuple[str, str], tuple[str, str], tuple[str, str]]

# Each attribute opens two; what opens far more than could be kept is not even parsed.
MAX_BRACKETS = 3 * MAX_VALUES
_KINDS, _STATUSES, _SEVERITIES = (dict(names.items()) for names in (Span.SpanKind, Status.StatusCode, SeverityNumber))
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16


def read_traces(body: bytes, now: datetime) -> Export:
    """The spans of an ExportTraceServiceRequest. MalformedBodyError, BodyTooLargeError."""
    reading = Reading(now)
    names = ("resourceSpans", "resource_spans"), ("scopeSpans", "scope_spans"), ("spans", "spans")
    for item, resource, scope in _items(_document(body), names, reading):
        try:
            reading.spans.append(_span(as_part(item, "span"), resource, scope, reading))
        except ItemError as error:
            reading.refuse(error, _shown_id(item))
    return reading.export()


def read_logs(body: bytes, now: datetime) -> Export:
    """The records of an ExportLogsServiceRequest. MalformedBodyError, BodyTooLargeError."""
    reading = Reading(now)
    names = ("resourceLogs", "resource_logs"), ("scopeLogs", "scope_logs"), ("logRecords", "log_records")
    for item, resource, scope in _items(_document(body), names, reading):
        try:
            reading.logs.append(_log(as_part(item, "logRecord"), resource, scope, reading))
        except ItemError as error:
            reading.refuse(error, _shown_id(item))
    return reading.export()


def _items(document: Part, names: Names, reading: Reading) -> Iterator[tuple[Any, Resource, Scope]]:
    """Each item with what sent and what made it. MalformedBodyError where there is no finding them."""
    groups, parts, items = names
    try:
        for group in list_of(document, *groups):
            resource = Resource(_attributes(part_of(as_part(group, groups[0]), "resource"), reading))
            for part in list_of(group, *parts):
                scope = _scope(part_of(as_part(part, parts[0]), "scope"), reading)
                for item in reading.counted(list_of(part, *items)):
                    yield item, resource, scope
    except ItemError as error:
        raise MalformedBodyError(f"The body is no OTLP/JSON: {error}") from error


def _document(body: bytes) -> Part:
    if body.count(b"{") + body.count(b"[") > MAX_BRACKETS:
        raise BodyTooLargeError(f"More than {MAX_VALUES} attributes in one export. Send smaller batches.")
    document = read_json(body)
    if not isinstance(document, dict):
        raise MalformedBodyError('Send an object: {"resourceSpans": [...]} or {"resourceLogs": [...]}.')
    return document


def _scope(scope: Part, reading: Reading) -> Scope:
    return Scope(text_of(scope, "name", "name"), text_of(scope, "version", "version"), _attributes(scope, reading))


def _span(span: Part, resource: Resource, scope: Scope, reading: Reading) -> OtlpSpan:
    trace_id = hex_of(span, "traceId", "trace_id", _TRACE_DIGITS)
    if not trace_id:
        raise BadTraceIdError("traceId: send 32 hex digits, not all zero.")
    span_id = hex_of(span, "spanId", "span_id", _SPAN_DIGITS)
    if not span_id:
        raise BadSpanIdError("spanId: send 16 hex digits, not all zero.")
    started_at = reading.time(whole_of(span, "startTimeUnixNano", "start_time_unix_nano"), "startTimeUnixNano")
    ended = whole_of(span, "endTimeUnixNano", "end_time_unix_nano")
    status = part_of(span, "status")
    return OtlpSpan(
        trace_id,
        span_id,
        hex_of(span, "parentSpanId", "parent_span_id", _SPAN_DIGITS),
        text_of(span, "name", "name"),
        started_at,
        reading.time(ended, "endTimeUnixNano") if ended else None,
        choice_of(span, "kind", "kind", _KINDS, MOST_KIND),
        _attributes(span, reading),
        _events(list_of(span, "events", "events"), started_at, reading),
        _links(list_of(span, "links", "links"), reading),
        choice_of(status, "code", "code", _STATUSES, MOST_STATUS),
        text_of(status, "message", "message"),
        resource,
        scope,
    )


def _events(events: Sequence[Any], started_at: datetime, reading: Reading) -> tuple[OtlpEvent, ...]:
    reading.expect_values(len(events))
    return tuple(_event(as_part(event, "events"), started_at, reading) for event in events)


def _event(event: Part, started_at: datetime, reading: Reading) -> OtlpEvent:
    nanos = whole_of(event, "timeUnixNano", "time_unix_nano")
    at = reading.time(nanos, "") if reading.is_time(nanos) else started_at
    return OtlpEvent(at, text_of(event, "name", "name"), _attributes(event, reading))


def _links(links: Sequence[Any], reading: Reading) -> tuple[OtlpLink, ...]:
    reading.expect_values(len(links))
    read = (
        OtlpLink(
            hex_of(link, "traceId", "trace_id", _TRACE_DIGITS),
            hex_of(link, "spanId", "span_id", _SPAN_DIGITS),
            _attributes(link, reading),
        )
        for link in (as_part(link, "links") for link in links)
    )
    return tuple(link for link in read if link.trace_id and link.span_id)


def _log(record: Part, resource: Resource, scope: Scope, reading: Reading) -> OtlpLog:
    told = whole_of(record, "timeUnixNano", "time_unix_nano") or whole_of(
        record, "observedTimeUnixNano", "observed_time_unix_nano"
    )
    return OtlpLog(
        reading.time(told, "timeUnixNano") if told else reading.now,
        choice_of(record, "severityNumber", "severity_number", _SEVERITIES, MOST_SEVERITY),
        text_of(record, "severityText", "severity_text"),
        any_value(record.get("body")),
        text_of(record, "eventName", "event_name"),
        _attributes(record, reading),
        hex_of(record, "traceId", "trace_id", _TRACE_DIGITS),
        hex_of(record, "spanId", "span_id", _SPAN_DIGITS),
        resource,
        scope,
    )


def _attributes(part: Part, reading: Reading) -> Attributes:
    pairs = list_of(part, "attributes", "attributes")
    reading.expect_values(len(pairs))
    return told_of_rest(dict(map(_pair, pairs[:MAX_ATTRIBUTES])), len(pairs))


def _pair(pair: Any) -> tuple[str, Any]:
    key = pair.get("key") if isinstance(pair, dict) else None
    if not isinstance(key, str):
        raise WrongTypeError('attributes: a list of {"key": text, "value": …} is expected.')
    return sound(key), any_value(pair.get("value"))


def _shown_id(item: Any) -> str:
    given = field(item, "spanId", "span_id") if isinstance(item, dict) else None
    return given.encode("ascii", "replace").decode() if isinstance(given, str) else ""
