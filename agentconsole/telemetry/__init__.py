"""The console's own traces (OTLP) and errors (Sentry), for those who collect them (docs/operations.md, "Traces and errors").

Off unless their variables are set, and then without cost: only this package knows the two libraries, each in a module that
`start` imports when it is wanted. Nothing here may slow, break or prolong what it watches.
"""

import os
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from django.conf import settings

from agentconsole.errors import is_otlp
from agentconsole.faults import fault_words
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext

if TYPE_CHECKING:
    from agentconsole.telemetry.reporting import Reporting
    from agentconsole.telemetry.tracing import Tracing

log = get_logger(__name__)

END_WITHIN_S = 2
# Probes, files, scrapes, and the doors that telemetry comes in by: a console that is its own collector would otherwise make
# a span of each delivery, and deliver that.
_UNTRACED = ("/static/", "/health/", "/metrics", "/ws/", "/v1/", "/api/v1/ingest")


class _Process:
    """What runs in this process. A fork inherits it, and must not use it: the threads behind it stayed with its parent."""

    pid = 0
    tracing: "Tracing | None" = None
    reporting: "Reporting | None" = None


_process = _Process()


def start() -> None:
    """Begin in this process what the variables ask for. Once it has been forked; further calls do nothing. Never raises."""
    if _process.pid == os.getpid():
        return
    _detach()
    _process.pid = os.getpid()
    try:
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT or settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:
            from agentconsole.telemetry.tracing import Tracing

            _process.tracing = Tracing()
        if settings.SENTRY_DSN:
            from agentconsole.telemetry.reporting import Reporting

            _process.reporting = Reporting()
    except Exception as error:  # noqa: BLE001  the edge to two libraries: the console works without them
        log.warning("TELEMETRY_NOT_STARTED", error=fault_words(error))


def stop() -> None:
    """Send what is left, for END_WITHIN_S at most whatever the collectors do, and collect nothing more."""
    if _process.pid != os.getpid():
        return
    ends = [part.end for part in (_process.tracing, _process.reporting) if part is not None]
    _detach()
    ending = [threading.Thread(target=end, args=(END_WITHIN_S,), daemon=True) for end in ends]
    deadline = time.monotonic() + END_WITHIN_S
    for thread in ending:
        thread.start()
    for thread in ending:
        thread.join(max(0.0, deadline - time.monotonic()))


def _detach() -> None:
    for part in (_process.tracing, _process.reporting):
        if part is not None:
            part.detach()
    _process.pid, _process.tracing, _process.reporting = 0, None, None


def request_span(
    context: RequestContext, *, method: str, path: str, traceparent: str
) -> AbstractContextManager[RequestContext]:
    """A span around a request, below the caller's `traceparent`; what it gives is `context` within that trace."""
    if _process.tracing is None or path.startswith(_UNTRACED) or is_otlp(path):
        return nullcontext(context)
    return _process.tracing.request_span(context, method=method, traceparent=traceparent)


def note_answer(*, method: str, route: str, status: int) -> None:
    """The answer to the request whose span is current."""
    if _process.tracing is not None:
        _process.tracing.note_answer(method=method, route=route, status=status)


def carried() -> dict[str, str]:
    """Headers that carry the current span to a task: `traceparent`, or none outside of a trace."""
    return _process.tracing.carried() if _process.tracing is not None else {}


def task_span(
    context: RequestContext,
    *,
    task: str,
    task_id: str,
    traceparent: object,
    begins: bool,
    expected: tuple[type[Exception], ...] = (),
) -> AbstractContextManager[RequestContext]:
    """A span around a task, below the one that sent it; what it gives is `context` within that trace.

    A task that came without `traceparent` has a span only if it `begins` a trace: what an untraced request sends is part of
    that request. `expected` are exceptions that are no failure.
    """
    if _process.tracing is None or not (isinstance(traceparent, str) or begins):
        return nullcontext(context)
    parent = traceparent if isinstance(traceparent, str) else ""
    return _process.tracing.task_span(context, task=task, task_id=task_id, traceparent=parent, expected=expected)
