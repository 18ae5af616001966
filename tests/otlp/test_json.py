"""OTLP/JSON as senders write it: both spellings, numbers as text or not, values that are no AnyValue; and halves of characters."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from runs.ingest.errors import MalformedBodyError
from tests.otlp.bodies import SECOND, SPAN, STARTED, TRACE, logs_json, span_json, spans_json
from traces.otlp import text
from traces.otlp.fields import TOO_LONG
from traces.otlp.shapes import OtlpSpan

NOW = datetime.fromtimestamp(STARTED // SECOND + 60, UTC)


def read_one(**fields: Any) -> OtlpSpan:
    [one] = text.read_traces(spans_json(span_json(**fields)), NOW).spans
    return one


def test_snake_case_is_read_too():
    snake = {
        "resource_spans": [{"scope_spans": [{"scope": {"name": "s"}, "spans": [{
            "trace_id": TRACE.upper(), "span_id": SPAN, "parent_span_id": SPAN, "name": "work", "start_time_unix_nano": STARTED,
            "end_time_unix_nano": float(STARTED), "attributes": [{"key": "n", "value": {"int_value": "7"}}],
            "status": {"code": "STATUS_CODE_ERROR"}, "kind": "3", "made_up": {"x": [1]},
        }]}]}]
    }  # fmt: skip
    [one] = text.read_traces(json.dumps(snake).encode(), NOW).spans
    assert (one.trace_id, one.parent_id, one.scope.name, one.kind, one.status_code) == (TRACE, SPAN, "s", 3, 2)
    assert (one.started_at, dict(one.attributes)) == (one.ended_at, {"n": 7})


VALUES: dict[str, tuple[Any, Any]] = {
    "a bare text": ("x", "x"),
    "a bare list": ([1, "x"], [1, "x"]),
    "nothing": (None, None),
    "an empty value": ({}, None),
    "an object that is no value": ({"a": 1}, {"a": 1}),
    "a number that is text": ({"intValue": "12"}, 12),
    "a number that is none": ({"intValue": "twelve"}, "twelve"),
    "a number of 100 digits": ({"intValue": 10**100}, str(10**100)),
    "a number beyond all measure": ({"intValue": 10**400}, TOO_LONG),
    "a double as text": ({"doubleValue": "0.5"}, 0.5),
    "a double that is none": ({"doubleValue": "NaN"}, "NaN"),
    "a double of another type": ({"doubleValue": [1]}, [1]),
    "a flag as text": ({"boolValue": "true"}, "true"),
    "a list without values": ({"arrayValue": {}}, []),
    "a list that is an object": ({"arrayValue": {"values": {"a": 1}}}, {"a": 1}),
    "pairs that are none": ({"kvlistValue": {"values": [1]}}, [1]),
    "half a character": ({"stringValue": "\ud83d"}, "\ufffd"),
    "a whole one in halves": ({"stringValue": "\ud83d\ude00"}, "😀"),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_value_is_kept_whatever_it_is(what: str):
    sent, kept = VALUES[what]
    assert read_one(attributes=[{"key": "k", "value": sent}]).attributes == {"k": kept}


def test_a_log_record_needs_neither_a_trace_nor_a_time():
    seen = {"observedTimeUnixNano": str(STARTED + 1000), "severityNumber": "SEVERITY_NUMBER_WARN", "traceId": "none"}
    whole = {
        "timeUnixNano": STARTED,
        "traceId": TRACE,
        "spanId": SPAN,
        "body": {"stringValue": "hello"},
        "eventName": "e",
    }
    first, second, third = text.read_logs(logs_json(seen, whole, {}), NOW).logs
    assert (first.at.microsecond, first.severity, first.trace_id, first.body) == (1, 13, "", None)
    assert (second.trace_id, second.span_id, second.body, second.event_name) == (TRACE, SPAN, "hello", "e")
    assert third.at == NOW


WRONG = [
    b"[]", b"null", b"7", b'"x"', b"", b"{", b"\xff", b'{"resourceSpans": {}}', b'{"resourceSpans": [7]}',
    b'{"resourceSpans": [{"resource": []}]}', b'{"resourceSpans": [{"resource": {"attributes": 7}}]}',
    b'{"resourceSpans": [{"scopeSpans": [[]]}]}', b'{"resourceSpans": [{"scopeSpans": [{"scope": {"name": 7}}]}]}',
    b'{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}', b'{"resourceSpans": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
def test_a_body_in_which_no_items_can_be_found_is_refused(body: bytes):
    with pytest.raises(MalformedBodyError) as refused:
        text.read_traces(body, NOW)
    assert len(refused.value.message) > 10


def test_what_is_of_another_signal_holds_nothing():
    assert text.read_traces(logs_json({}), NOW).count == 0
