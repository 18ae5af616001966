"""What a protobuf body holds is counted before it is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runs.ingest.errors import BodyTooLargeError, MalformedBodyError
from tests.otlp.bodies import FOLDERS, captures, request_of, span, wrapped
from tests.otlp.test_bounds import NOW
from traces.otlp import binary
from traces.otlp.wire import holds_more_messages, with_sound_texts


def messages_in(message) -> int:
    """How many messages are in one, by the parser."""
    inner = [value for field, value in message.ListFields() if field.message_type is not None]
    each = [one for value in inner for one in ([value] if hasattr(value, "ListFields") else value)]
    return len(each) + sum(map(messages_in, each))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_count_is_the_parsers(folder: str):
    for capture in captures(folder):
        if capture.path.endswith("/traces"):
            count = messages_in(ExportTraceServiceRequest.FromString(capture.body))
            assert not holds_more_messages(capture.body, ExportTraceServiceRequest, count)
            assert holds_more_messages(capture.body, ExportTraceServiceRequest, count - 1)


@given(body=st.binary(max_size=200), most=st.integers(0, 3))
def test_any_bytes_have_an_end(body: bytes, most: int):
    holds_more_messages(body, ExportTraceServiceRequest, most)
    assert len(with_sound_texts(body, ExportTraceServiceRequest, most)) == len(body)


def test_a_flood_of_empty_messages_is_not_parsed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binary, "MAX_MESSAGES", 10_000)
    flood = wrapped(span().SerializeToString() + b"\x4a\x00" * 600_000)
    with pytest.raises(BodyTooLargeError):
        binary.read_traces(flood, NOW)


@pytest.mark.parametrize("cut", [b"caf\xc3", b"\xed\xa0\x80", b"\xff\xfe", b"x\xf0\x9f\x98"])
def test_a_text_cut_inside_of_a_character_costs_that_character(cut: bytes):
    placeholder = "#" * len(cut)
    whole = span(name=placeholder)
    whole.attributes.add(key="é" + placeholder).value.array_value.values.add().string_value = placeholder
    body = request_of(span(), whole, service="s").SerializeToString().replace(placeholder.encode(), cut)
    good, damaged = binary.read_traces(body, NOW).spans
    repaired = cut.decode("utf-8", "surrogateescape").translate(dict.fromkeys(range(0xDC80, 0xDD00), "?"))
    assert (good.name, damaged.name, damaged.attributes) == ("work", repaired, {"é" + repaired: [repaired]})


def test_what_is_no_protobuf_is_left_to_the_parser():
    with pytest.raises(MalformedBodyError):
        binary.read_traces(b"\xff" * 2_000_000, NOW)
