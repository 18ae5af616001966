"""What real frameworks sent is read whole, and says the same in either encoding."""

from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.otlp.bodies import FOLDERS, Capture, as_json, captures
from traces.otlp import binary, text
from traces.otlp.shapes import Export

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SPANS = {
    "claude_agent_sdk": 23,
    "langfuse": 6,
    "logfire": 14,
    "mlflow": 6,
    "openinference_langchain": 25,
    "openinference_openai_agents": 35,
    "pydantic_ai": 14,
    "traceloop_langchain": 29,
}


def read(capture: Capture) -> Export:
    return (binary.read_logs if capture.path.endswith("/logs") else binary.read_traces)(capture.body, NOW)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_span_is_read(folder: str):
    exports = [read(capture) for capture in captures(folder) if not capture.path.endswith("/metrics")]
    assert sum(len(export.spans) for export in exports) == SPANS[folder]
    assert [refused for export in exports for refused in export.refused] == []
    assert all(export.count == len(export.spans) + len(export.logs) for export in exports)


@pytest.mark.parametrize("by_number", [True, False], ids=["enumerations by number", "enumerations by name"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_same_in_json_is_the_same(folder: str, by_number: bool):
    for capture in captures(folder):
        if capture.path.endswith("/traces"):
            request = ExportTraceServiceRequest.FromString(capture.body)
            assert text.read_traces(as_json(request, by_number=by_number), NOW) == read(capture)
        elif capture.path.endswith("/logs"):
            records = ExportLogsServiceRequest.FromString(capture.body)
            assert text.read_logs(as_json(records, by_number=by_number), NOW) == read(capture)


def test_what_sent_and_what_made_a_span_is_there_once():
    spans = [span for capture in captures("traceloop_langchain") for span in read(capture).spans]
    assert len({id(span.resource) for span in spans}) < len(spans)
    assert all(span.resource.attributes["service.name"] and span.scope.name for span in spans)


def test_claudes_log_records_carry_what_its_spans_lack():
    logs = [log for capture in captures("claude_agent_sdk") for log in read(capture).logs if "logs" in capture.path]
    assert {"claude_code.tool_result", "claude_code.user_prompt"} <= {log.body for log in logs}
