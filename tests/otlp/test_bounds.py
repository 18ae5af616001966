"""An export holds so much and no more, and what is too much costs little."""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from agentconsole.errors import ConsoleError
from runs.ingest.errors import BodyTooLargeError, MalformedBodyError
from tests.otlp.bodies import request_of, span, span_json, spans_json
from traces.otlp import binary, text
from traces.otlp.reading import MAX_ITEMS, MAX_VALUES
from traces.otlp.shapes import Export

NOW = datetime.now(UTC)
MILLION = 1_000_000


def peak_of(read: Callable[[bytes, datetime], Export], body: bytes, refusal: type[ConsoleError]) -> int:
    """The most bytes that Python held while refusing a body."""
    tracemalloc.start()
    with pytest.raises(refusal):
        read(body, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_million_attributes_are_refused_without_being_looked_at():
    one = b'{"key": "k", "value": {"intValue": 1}}'
    many = spans_json(span_json(attributes=["HERE"])).replace(b'"HERE"', b",".join([one] * MILLION))
    assert peak_of(text.read_traces, many, BodyTooLargeError) < MILLION
    pair = b"\x4a\x03\x0a\x01k"  # field 9 of a span: a key without a value
    body = span().SerializeToString() + pair * MILLION
    assert peak_of(binary.read_traces, _wrapped(body), BodyTooLargeError) < MILLION


def _wrapped(body: bytes) -> bytes:
    """A span's bytes as an export, without a copy of each attribute as a message."""
    for field in (b"\x12", b"\x12", b"\x0a"):
        body = field + _varint(len(body)) + body
    return body


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def test_a_span_in_its_wrapping_is_one():
    assert binary.read_traces(_wrapped(span().SerializeToString()), NOW).count == 1


@pytest.mark.parametrize("kind", ["events", "links", "attributes"])
def test_many_of_a_kind_count_together(kind: str):
    with pytest.raises(BodyTooLargeError, match=str(MAX_VALUES)):
        text.read_traces(spans_json(*[span_json(**{kind: [{"key": "k"}] * 50_000})] * 11), NOW)


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
        value = b"\x2a" + _varint(len(value) + 1 + len(_varint(len(value)))) + b"\x0a" + _varint(len(value)) + value
    pair = b"\x12" + _varint(len(value)) + value
    body = span().SerializeToString() + b"\x4a" + _varint(len(pair)) + pair
    with pytest.raises(MalformedBodyError, match="ExportTraceServiceRequest"):
        binary.read_traces(_wrapped(body), NOW)


def test_a_body_cut_anywhere_is_read_or_refused():
    whole = request_of(span(), span(name="two"), service="s").SerializeToString()
    for end in range(len(whole)):
        with suppress(MalformedBodyError):
            assert binary.read_traces(whole[:end], NOW).count <= 2
