"""An item without a place is refused by itself; lesser trouble costs nothing but itself. In both encodings alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.otlp.bodies import SECOND, SPAN, STARTED, TRACE, as_json, request_of, span, span_json, spans_json
from traces.otlp import binary, text
from traces.otlp.reading import LEFT_OUT, MAX_ATTRIBUTES, MAX_DEPTH, TOO_DEEP
from traces.otlp.shapes import Export

NOW = datetime.fromtimestamp(STARTED // SECOND + 60, UTC)
DAY = 86_400 * SECOND
Read = Callable[..., Export]


def from_protobuf(*spans: Span) -> Export:
    return binary.read_traces(request_of(*spans).SerializeToString(), NOW)


def from_json(*spans: Span) -> Export:
    return text.read_traces(as_json(request_of(*spans)), NOW)


@pytest.fixture(params=[from_protobuf, from_json])
def read(request: pytest.FixtureRequest) -> Read:
    found: Read = request.param
    return found


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no trace id": ({"trace_id": b""}, "bad_trace_id"),
    "a trace id of zeros": ({"trace_id": bytes(16)}, "bad_trace_id"),
    "a short trace id": ({"trace_id": b"1234567"}, "bad_trace_id"),
    "no span id": ({"span_id": b""}, "bad_span_id"),
    "a span id of zeros": ({"span_id": bytes(8)}, "bad_span_id"),
    "a long span id": ({"span_id": b"123456789"}, "bad_span_id"),
    "no start": ({"start_time_unix_nano": 0}, "bad_time"),
    "a start in seconds": ({"start_time_unix_nano": STARTED // SECOND}, "bad_time"),
    "a start in two days": ({"start_time_unix_nano": STARTED + 2 * DAY}, "bad_time"),
    "an end in the year 2554": ({"end_time_unix_nano": 2**64 - 1}, "bad_time"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_span_without_a_place_is_refused_and_the_others_are_not(read: Read, what: str):
    fields, code = REFUSED[what]
    export = read(span(), span(**fields), span(name="third"))
    assert [good.name for good in export.spans] == ["work", "third"]
    [refused] = export.refused
    assert (refused.index, refused.code, export.count) == (1, code, 3)
    assert len(refused.message) > 20


def test_times_keep_their_microseconds(read: Read):
    [one] = read(span(start_time_unix_nano=STARTED + 123_456_999, end_time_unix_nano=STARTED + 999_999_999)).spans
    assert one.started_at.microsecond == 123_456
    assert one.ended_at is not None
    assert one.ended_at.isoformat() == "2023-11-14T22:13:20.999999+00:00"


def test_without_an_end_it_runs(read: Read):
    assert read(span(end_time_unix_nano=0)).spans[0].ended_at is None


@pytest.mark.parametrize("parent", [bytes(8), b"short"])
def test_a_parent_that_is_none_leaves_the_span_without(read: Read, parent: bytes):
    assert read(span(parent_span_id=parent)).spans[0].parent_id == ""


def test_a_character_that_no_database_keeps_is_replaced(read: Read):
    one = span(name="a\x00b")
    one.attributes.add(key="k\x00").value.string_value = "v\x00"
    [got] = read(one).spans
    assert (got.name, dict(got.attributes)) == ("a␀b", {"k␀": "v␀"})


def test_an_event_without_a_time_takes_its_spans(read: Read):
    one = span(events=[Span.Event(name="seen"), Span.Event(name="late", time_unix_nano=STARTED + 5)])
    [got] = read(one).spans
    assert [(event.name, event.at) for event in got.events] == [("seen", got.started_at), ("late", got.started_at)]


def test_a_link_to_nowhere_is_left_out(read: Read):
    links = [Span.Link(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN)), Span.Link(trace_id=b"x")]
    [got] = read(span(links=links)).spans
    assert [(link.trace_id, link.span_id) for link in got.links] == [(TRACE, SPAN)]


def test_values_of_every_kind_are_what_json_has_for_them(read: Read):
    one = span()
    value = one.attributes.add(key="all").value.kvlist_value
    value.values.add(key="text").value.string_value = "é"
    value.values.add(key="empty").value.string_value = ""
    value.values.add(key="yes").value.bool_value = True
    value.values.add(key="whole").value.int_value = -(2**63)
    value.values.add(key="half").value.double_value = 0.5
    value.values.add(key="none").value.double_value = float("nan")
    value.values.add(key="much").value.double_value = float("-inf")
    value.values.add(key="bytes").value.bytes_value = b"\xff\x00"
    value.values.add(key="nothing").value.SetInParent()
    value.values.add(key="list").value.array_value.values.add().int_value = 1
    assert read(one).spans[0].attributes["all"] == {
        "text": "é", "empty": "", "yes": True, "whole": -(2**63), "half": 0.5, "none": "NaN", "much": "-Infinity",
        "bytes": "/wA=", "nothing": None, "list": [1],
    }  # fmt: skip


def test_what_is_nested_too_deeply_is_named_in_its_place(read: Read):
    one = span()
    value = one.attributes.add(key="deep").value
    for _ in range(MAX_DEPTH + 1):
        value = value.array_value.values.add()
    value.string_value = "unreachable"
    found, depth = read(one).spans[0].attributes["deep"], 0
    while isinstance(found, list):
        found, depth = found[0], depth + 1
    assert (found, depth) == (TOO_DEEP, MAX_DEPTH)


def test_attributes_beyond_what_one_span_may_have_are_counted(read: Read):
    one = span()
    for number in range(MAX_ATTRIBUTES + 7):
        one.attributes.add(key=f"k{number}").value.int_value = number
    attributes = read(one).spans[0].attributes
    assert (len(attributes), attributes[LEFT_OUT]) == (MAX_ATTRIBUTES + 1, 7)


def test_numbers_of_enumerations_that_are_not_known_are_untold(read: Read):
    one = span(kind=Span.SPAN_KIND_CLIENT)
    one.status.code = Status.STATUS_CODE_ERROR
    odd = span()
    odd.kind = cast(Any, 99)
    odd.status.code = cast(Any, -7)
    assert [(got.kind, got.status_code) for got in read(one, odd).spans] == [(3, 2), (0, 0)]


def test_json_of_another_form_is_refused_by_the_item():
    bad: list[Any] = [
        7, None, "span", [], {}, span_json(name=7), span_json(attributes={}), span_json(attributes=[7]),
        span_json(attributes=[{"key": 7}]), span_json(startTimeUnixNano=True), span_json(startTimeUnixNano=1.5),
        span_json(startTimeUnixNano="soon"), span_json(startTimeUnixNano="9" * 5000), span_json(status=[]),
        span_json(events=[7]), span_json(events={}), span_json(links=["x"]), span_json(traceId=7),
        span_json(spanId="zz" * 8), span_json(endTimeUnixNano=10**400),
    ]  # fmt: skip
    export = text.read_traces(spans_json(span_json(), *bad), NOW)
    assert (len(export.spans), [refused.index for refused in export.refused]) == (1, list(range(1, len(bad) + 1)))
