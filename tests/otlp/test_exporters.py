"""The exporters that agents really run, against the doors in processes of their own."""

from typing import Any

import pytest
from grpc import Compression as GrpcCompression
from opentelemetry._logs import LogRecord
from opentelemetry._logs.severity import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from runs.models import Run, Span, TraceEvent
from tests.cast import AgentCaller
from tests.otlp.processes import door, grpc_door

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ABOUT = Resource({"service.name": "orders-agent"})


def record_work(spans: Any, logs: Any) -> None:
    """An agent that calls a tool, and a log record of it; delivered when it returns."""
    tracing, logging = (
        TracerProvider(resource=ABOUT, shutdown_on_exit=False),
        LoggerProvider(ABOUT, shutdown_on_exit=False),
    )
    tracing.add_span_processor(BatchSpanProcessor(spans))
    logging.add_log_record_processor(BatchLogRecordProcessor(logs))
    tracer, logger = tracing.get_tracer("tests"), logging.get_logger("tests")
    with tracer.start_as_current_span("invoke_agent triage", attributes={"request.id": "req-otlp"}):
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
        with tracer.start_as_current_span("execute_tool look", attributes=attributes):
            logger.emit(LogRecord(body="seen", severity_number=SeverityNumber.WARN, event_name="looked"))
    tracing.shutdown()
    logging.shutdown()


def assert_all_is_there() -> None:
    assert {"look"} < {span.name for span in Span.objects.all()}
    assert Run.objects.get().request_id == "req-otlp"
    record = TraceEvent.objects.get()
    assert (record.run.request_id, record.level) == ("req-otlp", "warning")


def test_over_http(agent: AgentCaller):
    with door("serve") as web:
        url = f"http://{web.address}/otlp/v1"
        record_work(
            HttpSpanExporter(f"{url}/traces", headers=agent.headers, compression=Compression.Gzip),
            HttpLogExporter(f"{url}/logs", headers=agent.headers, compression=Compression.Deflate),
        )
        assert_all_is_there()


@pytest.mark.parametrize("command", ["otlp_grpc", "serve"])
def test_over_grpc(agent: AgentCaller, command: str):
    headers = {name.lower(): value for name, value in agent.headers.items()}
    with grpc_door(command) as grpc:
        record_work(
            GrpcSpanExporter(grpc.address, insecure=True, headers=headers, compression=GrpcCompression.Gzip),
            GrpcLogExporter(grpc.address, insecure=True, headers=headers),
        )
        assert_all_is_there()
