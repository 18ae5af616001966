"""Whatever comes in, a reader gives an export or a refusal: never another exception, never a row that could not be stored."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runs.ingest.errors import BodyTooLargeError, MalformedBodyError
from tests.otlp.bodies import captures, span_json, spans_json
from traces.otlp import binary, text
from traces.otlp.shapes import Export

NOW = datetime.now(UTC)
READERS = [binary.read_traces, binary.read_logs, text.read_traces, text.read_logs]
WHOLE = next(captures("pydantic_ai")).body
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "\x00", "\ud800", "ab" * 16]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
VALUES = st.sampled_from(
    ["stringValue", "intValue", "doubleValue", "boolValue", "bytesValue", "arrayValue", "kvlistValue", "values", "key"]
)


def outcome_of(read: Callable[[bytes, datetime], Export], body: bytes) -> Export | None:
    """The export, all of which can be stored; None where the body was refused."""
    try:
        export = read(body, NOW)
    except (MalformedBodyError, BodyTooLargeError):
        return None
    assert export.count == len(export.spans) + len(export.logs) + len(export.refused)
    attributes = [item.attributes for item in export.spans] + [item.attributes for item in export.logs]
    kept = json.dumps(list(map(dict, attributes)), allow_nan=False)
    names = "".join(span.name + span.status_message for span in export.spans)
    assert "\\u0000" not in kept
    assert "\x00" not in names
    assert names.encode().decode() == names
    return export


@pytest.mark.parametrize("read", READERS)
@given(body=st.binary(max_size=300))
def test_any_bytes(read: Callable[[bytes, datetime], Export], body: bytes):
    outcome_of(read, body)


@given(changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_real_body_with_damage(changes: list[tuple[int, int]]):
    damaged = bytearray(WHOLE)
    for place, byte in changes:
        damaged[place] = byte
    outcome_of(binary.read_traces, bytes(damaged))


@given(document=JSON)
def test_any_json(document: Any):
    outcome_of(text.read_traces, json.dumps(document).encode())


@given(
    name=st.sampled_from([*sorted(span_json()), "kind", "status", "events", "links", "attributes", "parentSpanId"]),
    value=JSON,
)
def test_any_json_in_the_place_of_a_field(name: str, value: Any):
    export = outcome_of(text.read_traces, spans_json({**span_json(), name: value}))
    assert export is not None
    assert export.count == 1


@settings(max_examples=200)
@given(value=st.dictionaries(VALUES, JSON | st.dictionaries(VALUES, JSON, max_size=2), max_size=2))
def test_any_json_in_the_place_of_a_value(value: Any):
    export = outcome_of(text.read_traces, spans_json(span_json(attributes=[{"key": "k", "value": value}])))
    assert export is not None
    assert len(export.spans) == 1


@given(body=st.binary(max_size=200))
def test_what_protobuf_itself_reads_is_read(body: bytes):
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return
    export = outcome_of(binary.read_traces, body)
    spans = sum(len(part.spans) for group in request.resource_spans for part in group.scope_spans)
    assert export is not None
    assert export.count == spans
