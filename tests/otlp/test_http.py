"""OTLP over HTTP: what is good is committed before it is answered, and the answer is what exporters know."""

import gzip
import json
import zlib

import pytest
import zstandard
from django.test import Client
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agentconsole.rpc_status import JSON, PROTOBUF
from runs.models import Span, TraceEvent
from tests.cast import AgentCaller
from tests.otlp.bodies import TRACE, as_json, logs_json, request_of, span
from tests.otlp.sending import post

pytestmark = pytest.mark.django_db

REQUEST = request_of(span(), service="tests")
BODIES = {PROTOBUF: REQUEST.SerializeToString(), JSON: as_json(REQUEST)}


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces/", "/api/public/otel/v1/traces", "/otlp/v1/traces"])
@pytest.mark.parametrize("media", BODIES)
def test_an_export_is_stored_below_any_prefix(agent: AgentCaller, path: str, media: str):
    answer = post(agent, BODIES[media], media, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media)
    assert answer.content == (b"" if media == PROTOBUF else b"{}")
    assert Span.objects.get().name == "work"


def test_what_is_refused_is_counted_and_the_rest_is_stored(agent: AgentCaller):
    body = request_of(span(), span(trace_id=b""), span(span_id=b"")).SerializeToString()
    answer = ExportTraceServiceResponse.FromString(post(agent, body).content)
    assert answer.partial_success.rejected_spans == 2
    assert "number 1 (span b7ad6b7169203331), bad_trace_id" in answer.partial_success.error_message
    assert Span.objects.count() == 1


def test_a_partial_success_in_json_is_json(agent: AgentCaller):
    told = json.loads(post(agent, as_json(request_of(span(span_id=b""))), JSON).content)["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert "bad_span_id" in told["errorMessage"]


def test_log_records_are_stored(agent: AgentCaller):
    records = logs_json({"traceId": TRACE, "body": {"stringValue": "hello"}}, {"timeUnixNano": "1"})
    answer = post(agent, records, JSON, "/v1/logs").json()
    assert answer["partialSuccess"]["rejectedLogRecords"] == "1"
    assert TraceEvent.objects.get().run.trace_id == TRACE
    assert ExportLogsServiceResponse.FromString(post(agent, b"", PROTOBUF, "/v1/logs").content).ByteSize() == 0


def test_metrics_are_let_go_with_a_word(agent: AgentCaller):
    """A refusal would be in the exporter's log each minute, for ever."""
    answer = post(agent, b"\x0a\x00", PROTOBUF, "/v1/metrics")
    told = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, "OTEL_METRICS_EXPORTER=none" in told.error_message) == (200, True)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress), ("identity", bytes)],
)
@pytest.mark.parametrize("media", BODIES)
def test_every_compression_is_read(agent: AgentCaller, encoding, pack, media: str):
    assert post(agent, pack(BODIES[media]), media, Content_Encoding=encoding).status_code == 200
    assert Span.objects.count() == 1


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/protobuf"])
def test_a_content_type_may_be_written_in_several_ways(agent: AgentCaller, media: str):
    assert post(agent, BODIES[JSON if "son" in media.lower() else PROTOBUF], media).status_code == 200


def test_the_same_twice_is_there_once(agent: AgentCaller):
    for _ in range(2):
        assert post(agent, BODIES[PROTOBUF]).content == b""
    assert Span.objects.count() == 1


def test_a_form_of_another_site_needs_no_token_and_gets_nowhere(agent: AgentCaller):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/v1/traces", BODIES[JSON], content_type=JSON).status_code == 401
    assert client.post("/v1/traces", BODIES[JSON], content_type=JSON, headers=agent.headers).status_code == 200


def test_the_answer_carries_the_requests_id(agent: AgentCaller):
    assert post(agent, b"", X_Request_ID="req-mine").headers["X-Request-ID"] == "req-mine"
