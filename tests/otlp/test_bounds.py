"""An export holds so much and no more, and what is too much costs little."""

import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime

import pytest

from agentconsole.errors import ConsoleError
from agentconsole.rpc_status import JSON, PROTOBUF
from runs.ingest.errors import BodyTooLargeError, MalformedBodyError
from tests.otlp.bodies import a_million_attributes, request_of, span, span_json, spans_json, varint, wrapped
from traces.otlp import binary, reading, text
from traces.otlp.reading import MAX_ITEMS
from traces.otlp.shapes import Export

NOW = datetime.now(UTC)


def peak_of(read: Callable[[bytes, datetime], Export], body: bytes, refusal: type[ConsoleError]) -> int:
    """The most bytes that Python held while refusing a body."""
    tracemalloc.start()
    with pytest.raises(refusal):
        read(body, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_million_attributes_are_refused_without_being_looked_at():
    assert peak_of(text.read_traces, a_million_attributes(JSON), BodyTooLargeError) < 1_000_000
    with pytest.raises(BodyTooLargeError):
        binary.read_traces(a_million_attributes(PROTOBUF), NOW)


def test_a_span_in_its_wrapping_is_one():
    assert binary.read_traces(wrapped(span().SerializeToString()), NOW).count == 1


@pytest.mark.parametrize("kind", ["events", "links", "attributes"])
def test_many_of_a_kind_count_together(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "MAX_VALUES", 1_000)
    for spans, is_too_much in ((10, False), (11, True)):
        body = spans_json(*[span_json(**{kind: [{"key": "k"}] * 100})] * spans)
        with pytest.raises(BodyTooLargeError, match="1000") if is_too_much else nullcontext():
            assert text.read_traces(body, NOW).count == spans


def test_more_items_than_one_export_may_have_are_refused():
    assert text.read_traces(spans_json(*[{}] * MAX_ITEMS), NOW).count == MAX_ITEMS
    with pytest.raises(BodyTooLargeError, match=str(MAX_ITEMS)):
        text.read_traces(spans_json(*[{}] * (MAX_ITEMS + 1)), NOW)


@pytest.mark.parametrize("levels", [1_000, 10_000, 100_000])
def test_lists_in_lists_in_lists_are_refused(levels: int):
    deep = b'{"resourceSpans": ' + b'[{"a":' * levels + b"1" + b"}]" * levels + b"}"
    with pytest.raises(MalformedBodyError, match="deep"):
        text.read_traces(deep, NOW)


def test_messages_in_messages_in_messages_are_refused():
    value = b""
    for _ in range(10_000):
        value = b"\x2a" + varint(len(value) + 1 + len(varint(len(value)))) + b"\x0a" + varint(len(value)) + value
    pair = b"\x12" + varint(len(value)) + value
    body = span().SerializeToString() + b"\x4a" + varint(len(pair)) + pair
    with pytest.raises(MalformedBodyError, match="ExportTraceServiceRequest"):
        binary.read_traces(wrapped(body), NOW)


def test_a_body_cut_anywhere_is_read_or_refused():
    whole = request_of(span(), span(name="two"), service="s").SerializeToString()
    for end in range(len(whole)):
        with suppress(MalformedBodyError):
            assert binary.read_traces(whole[:end], NOW).count <= 2
