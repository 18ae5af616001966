"""`python -m tests.bench.fuzz_otlp [seconds]`: OTLP's readers under a fuzzer that watches which lines a body reaches.

Needs `pip install atheris` (CPython on Linux). The suite itself has tests/otlp/test_any_bytes.py; this goes deeper, for as long as it may.
Anything but an export or a refusal ends it, and leaves the body in a file.
"""

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime

import atheris
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")

with atheris.instrument_imports(include=["traces.otlp", "runs.ingest.body"]):
    import django

    django.setup()
    from runs.ingest.errors import BodyTooLargeError, MalformedBodyError
    from traces.otlp import binary, text
    from traces.otlp.wire import holds_more_messages

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READERS = (binary.read_traces, binary.read_logs, text.read_traces, text.read_logs)


def read(body: bytes) -> None:
    """Read the rest of a body by the reader that its first byte names."""
    if not body:
        return
    which, rest = body[0] % (len(READERS) + 1), body[1:]
    if which == len(READERS):
        holds_more_messages(rest, ExportTraceServiceRequest, 100)
        return
    with suppress(MalformedBodyError, BodyTooLargeError):
        READERS[which](rest, NOW)


if __name__ == "__main__":
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096"], read)
    atheris.Fuzz()
