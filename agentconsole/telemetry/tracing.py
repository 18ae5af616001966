"""Spans of requests, tasks and their SQL, sent by OpenTelemetry's SDK over OTLP/HTTP.

Spans are made at the console's own seams. Of the instrumentation packages that were tried (0.66b2), Celery's leaves its span
current in the thread when the broker is away, and Django's asks for the host before anything that answers a wrong one.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agentconsole.protocol.context import RequestContext, current_context
from agentconsole.sdk.version import __version__
from agentconsole.telemetry.cleaning import clean, statement
from agentconsole.telemetry.complaints import Complaints

_TRACE_CONTEXT = TraceContextTextMapPropagator()
_BROKEN = 500
logging.getLogger("opentelemetry").addHandler(Complaints("traces"))
logging.getLogger("opentelemetry").propagate = False


class Tracing:
    """The spans of one process. The SDK reads its own variables: endpoint, headers, sampler, limits."""

    def __init__(self) -> None:
        about = {
            "service.name": settings.OTEL_SERVICE_NAME,
            "service.version": __version__,
            "deployment.environment.name": settings.CONSOLE_ENV,
        }
        # Kept from the global provider and from exit: other libraries have no business here, and a collector that hangs
        # must not hold a process.
        provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._processor = BatchSpanProcessor(CleanExporter(OTLPSpanExporter()))
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("agentconsole", __version__)
        connection_created.connect(self._watch)
        for connection in connections.all(initialized_only=True):
            self._watch(connection=connection)

    def detach(self) -> None:
        """Make no more spans. Without a word to threads: after a fork there are none."""
        connection_created.disconnect(self._watch)
        for connection in connections.all(initialized_only=True):
            if self._around_query in connection.execute_wrappers:
                connection.execute_wrappers.remove(self._around_query)

    def end(self, within_s: float) -> None:
        """Send what is left. May take as long as the exporter's own timeout."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    @contextmanager
    def request_span(self, context: RequestContext, *, method: str, traceparent: str) -> Iterator[RequestContext]:
        """The span of a request. Its route is known once it has been answered."""
        told = {"http.request.method": method, "request.id": context.request_id}
        with self._span(method, kind=SpanKind.SERVER, parent=_remote(traceparent), told=told) as span:
            yield _within(context, span)

    def note_answer(self, *, method: str, route: str, status: int) -> None:
        """Route and status of the current request. The route only: paths and queries may hold anything."""
        span = get_current_span()
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.route": route, "http.response.status_code": status})
        if status >= _BROKEN:
            span.set_attribute("error.type", str(status))
            span.set_status(StatusCode.ERROR)

    def carried(self) -> dict[str, str]:
        """The current span as a header."""
        headers: dict[str, str] = {}
        _TRACE_CONTEXT.inject(headers)
        return {name: value for name, value in headers.items() if name == "traceparent"}

    @contextmanager
    def task_span(
        self,
        context: RequestContext,
        *,
        task: str,
        task_id: str,
        traceparent: str,
        expected: tuple[type[Exception], ...],
    ) -> Iterator[RequestContext]:
        """The span of a task."""
        told = {"request.id": context.request_id, "messaging.system": "celery", "messaging.message.id": task_id}
        parent = _remote(traceparent)
        with self._span(task, kind=SpanKind.CONSUMER, parent=parent, told=told, expected=expected) as span:
            yield _within(context, span)

    @contextmanager
    def _span(
        self,
        name: str,
        *,
        kind: SpanKind,
        told: dict[str, str],
        parent: Context | None = None,
        expected: tuple[type[Exception], ...] = (),
    ) -> Iterator[Span]:
        # Of an exception the type is told: its message may quote anything, and the log has it under the request's id.
        with self._tracer.start_as_current_span(
            name, context=parent, kind=kind, attributes=told, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                if not isinstance(error, expected):
                    span.set_attribute("error.type", type(error).__qualname__)
                    span.set_status(StatusCode.ERROR)
                raise

    def _watch(self, *, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if self._around_query not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._around_query)

    def _around_query(
        self, execute: Callable[..., Any], sql: object, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        # Below a span only: what runs in the background every second would be traces of one query each.
        if not get_current_span().is_recording():
            return execute(sql, params, many, context)
        text, asked = statement(str(sql)), current_context()
        told = {
            "db.system.name": context["connection"].vendor,
            "db.query.text": text,
            "request.id": asked.request_id if asked else "",
        }
        with self._span(text.partition(" ")[0] or "SQL", kind=SpanKind.CLIENT, told=told):
            return execute(sql, params, many, context)


def _remote(traceparent: str) -> Context:
    """A context that holds the caller's span and nothing else, or nothing at all."""
    return _TRACE_CONTEXT.extract({"traceparent": traceparent}, Context())


def _within(context: RequestContext, span: Span) -> RequestContext:
    ids = span.get_span_context()
    return replace(context, trace_id=format_trace_id(ids.trace_id)) if ids.is_valid else context


class CleanExporter(SpanExporter):
    """Hands spans on without what must not leave, in the exporter's thread."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        return self._exporter.export([cleaned(span) for span in spans])

    def shutdown(self) -> None:
        """The last batch is through."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is kept here."""
        return True


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """A span as it may leave: no events (exceptions quote messages and stacks), no description, no secret in name or attribute."""
    return ReadableSpan(
        name=clean(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=clean(dict(span.attributes or {})),
        kind=span.kind,
        status=type(span.status)(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
