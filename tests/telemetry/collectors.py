"""Small real servers that take what the console sends: OTLP over HTTP, and Sentry's envelopes."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.processes.running import wait_for


@dataclass
class Span:
    """One span, as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    status: int
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Collector:
    """What arrived, as bytes out of their compression; while `hangs` is set nobody is answered."""

    url: str = ""
    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    hangs: bool = False
    status: int = 200
    asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def everything(self) -> bytes:
        """All bodies."""
        return b"\n".join(body for bodies in self.bodies.values() for body in bodies)

    def spans(self) -> list[Span]:
        """The spans of all OTLP requests so far."""
        return [span for body in self.bodies.get("/v1/traces", []) for span in _spans_in(body)]

    def events(self) -> list[dict[str, Any]]:
        """The events of all Sentry envelopes so far."""
        lines = [line for body in self.bodies.get("/api/7/envelope/", []) for line in body.splitlines()]
        found = [json.loads(line) for line in lines]
        return [line for line in found if "level" in line]

    def span(self, name: str) -> Span:
        """The one span of a name, once it is there."""
        (found,) = wait_for(f"the span {name}", lambda: [span for span in self.spans() if span.name == name])
        return found


def _spans_in(body: bytes) -> Iterator[Span]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _told(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                assert not span.events
                assert not span.status.message
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                yield Span(span.name, *ids, span.kind, span.status.code, _told(span.attributes), resource)


def _told(attributes: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port, until the end of the block."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.asked.set()
            if collector.hangs:
                collector.let_go.wait()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.bodies.setdefault(self.path, []).append(body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass  # the console has gone

    with Server(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            collector.let_go.set()
            server.shutdown()
            thread.join()


def dsn_of(collector: Collector) -> str:
    """The DSN of a project on it."""
    return collector.url.replace("://", "://public-key@") + "/7"
