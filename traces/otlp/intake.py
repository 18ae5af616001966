"""An export's way in, whichever door it came through: read, stored, answered."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from django.conf import settings
from django.utils import timezone
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agentconsole.errors import ConsoleError
from agentconsole.rpc_status import JSON, PROTOBUF
from runs.ingest.body import expand
from runs.ingest.door import reading
from runs.models import AgentInstance
from traces.otlp import binary, text
from traces.otlp.own import store
from traces.otlp.shapes import Export, ExportOutcome

# An export takes some ten times its bytes while it is read and stored: of those that are large, one at a time.
LARGE_BYTES = 1024 * 1024
_MESSAGE_MAX = 1000
_one_large = threading.Lock()


class Signal(StrEnum):
    """What an export holds, by its path's last word."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


class UnsupportedMediaError(ConsoleError):
    """A Content-Type that OTLP does not have."""

    code = "unsupported_media_type"
    http_status = 415


_MEDIA = {JSON: JSON, PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF}
_READERS: dict[tuple[Signal, str], Callable[[bytes, datetime], Export]] = {
    (Signal.TRACES, PROTOBUF): binary.read_traces,
    (Signal.TRACES, JSON): text.read_traces,
    (Signal.LOGS, PROTOBUF): binary.read_logs,
    (Signal.LOGS, JSON): text.read_logs,
}


def media_of(content_type: str) -> str:
    """Which of OTLP's two encodings a Content-Type says. UnsupportedMediaError."""
    media = _MEDIA.get(content_type.partition(";")[0].strip().lower())
    if media is None:
        raise UnsupportedMediaError(f"Content-Type {content_type[:60]!r} is not read here. Use {PROTOBUF} or {JSON}.")
    return media


def take_in(signal: Signal, body: bytes, *, media: str, content_encoding: str, instance: AgentInstance) -> Message:
    """Store what is good of an export; OTLP's answer, which counts what was refused. When this returns it is committed.

    MalformedBodyError, UnsupportedEncodingError, BodyTooLargeError: nothing could be read, nothing was stored. BusyError: as
    `traces.services.exports.store_export`.
    """
    if signal is Signal.METRICS:
        return _no_metrics()
    with ExitStack() as turn:
        with reading(body, door="otlp", instance=instance):
            plain = expand(body, content_encoding, max_bytes=settings.INGEST_MAX_EXPANDED_BYTES)
            if len(plain) > LARGE_BYTES:
                turn.enter_context(_one_large)
            export = _READERS[signal, media](plain, timezone.now())
        del plain
        return _answer(signal, store(export, instance=instance))


def _answer(signal: Signal, outcome: ExportOutcome) -> Message:
    told = _told(outcome)
    if signal is Signal.LOGS:
        logs = ExportLogsServiceResponse()
        if told:
            logs.partial_success.rejected_log_records = len(outcome.refused)
            logs.partial_success.error_message = told
        return logs
    traces = ExportTraceServiceResponse()
    if told:
        traces.partial_success.rejected_spans = len(outcome.refused)
        traces.partial_success.error_message = told
    return traces


def _told(outcome: ExportOutcome) -> str:
    """What became of the refused, by the first of them; "" where there is none."""
    if not outcome.refused:
        return ""
    first = min(outcome.refused, key=attrgetter("index"))
    which = f" (span {first.span_id})" if first.span_id else ""
    message = f"{len(outcome.refused)} refused, all others stored. The first is number {first.index}{which}, {first.code}: {first.message}"
    return message[:_MESSAGE_MAX].encode("utf-8", "replace").decode()


def _no_metrics() -> Message:
    """A success that says what it is worth: exporters would tell their own logs of a refusal each minute, for ever."""
    answer = ExportMetricsServiceResponse()
    answer.partial_success.error_message = (
        "This console keeps traces and logs. Of metrics nothing was stored: set OTEL_METRICS_EXPORTER=none."
    )
    return answer
