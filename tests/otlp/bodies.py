"""Bodies of exports: what frameworks sent, and what a test needs, in both encodings."""

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agentconsole.rpc_status import PROTOBUF

CAPTURES = Path(__file__).parent / "captures"
FOLDERS = sorted(folder.name for folder in CAPTURES.iterdir() if folder.is_dir())
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECOND = 1_000_000_000
STARTED = 1_700_000_000 * SECOND
_IDS = {"traceId", "spanId", "parentSpanId"}


class Capture(NamedTuple):
    """One request that a framework sent, its body expanded."""

    path: str
    body: bytes


def captures(folder: str) -> Iterator[Capture]:
    """What a folder holds, in the order in which it was sent."""
    for file in sorted((CAPTURES / folder).glob("*.pb")):
        told = json.loads(file.with_suffix(".meta.json").read_text(encoding="utf-8"))
        body = file.read_bytes()
        yield Capture(told["path"], gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)


def as_json(message: Message, *, by_number: bool = False) -> bytes:
    """A request as OTLP/JSON: protobuf's own mapping but for ids, which are hex. Enumerations by name or by number."""
    return json.dumps(_with_hex_ids(MessageToDict(message, use_integers_for_enums=by_number))).encode()


def _with_hex_ids(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_hex_ids(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_hex_ids(inner) for inner in value]
    return b64decode(value).hex() if name in _IDS else value


def request_of(*spans: Span, **resource: str) -> ExportTraceServiceRequest:
    """An export of spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in resource.items():
        group.resource.attributes.add(key=key).value.string_value = value
    group.scope_spans.add(spans=spans).scope.name = "tests"
    return request


def span(**fields: Any) -> Span:
    """A span of one second, but for the fields given."""
    ids = {"trace_id": bytes.fromhex(TRACE), "span_id": bytes.fromhex(SPAN)}
    times = {"start_time_unix_nano": STARTED, "end_time_unix_nano": STARTED + SECOND}
    return Span(**{**ids, **times, "name": "work", **fields})


def spans_json(*spans: Any) -> bytes:
    """An export of spans that are what they are."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def span_json(**fields: Any) -> dict[str, Any]:
    """A span of one second as OTLP/JSON, but for the fields given."""
    times = {"startTimeUnixNano": str(STARTED), "endTimeUnixNano": str(STARTED + SECOND)}
    return {"traceId": TRACE, "spanId": SPAN, "name": "work", **times, **fields}


def logs_json(*records: Any) -> bytes:
    """An export of log records that are what they are."""
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


def a_million_attributes(media: str) -> bytes:
    """An export of one span that has them, in some megabytes."""
    if media == PROTOBUF:
        pair = b"\x4a\x03\x0a\x01k"  # field 9 of a span: a key without a value
        return wrapped(span().SerializeToString() + pair * 1_000_000)
    pairs = b",".join([b'{"key":"k","value":{"intValue":1}}'] * 1_000_000)
    return spans_json(span_json(attributes=["HERE"])).replace(b'"HERE"', pairs)


def wrapped(body: bytes) -> bytes:
    """A span's bytes as an export."""
    for field in (b"\x12", b"\x12", b"\x0a"):
        body = field + varint(len(body)) + body
    return body


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])
