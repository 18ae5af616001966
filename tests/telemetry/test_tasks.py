"""A task is a span of the trace that asked for it."""

import pytest

from agentconsole import telemetry
from agentconsole.jobs import enqueue_on_commit
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from tests.jobs import tasks
from tests.processes.running import wait_for
from tests.telemetry.collectors import Collector, Span

pytestmark = [pytest.mark.usefixtures("started"), pytest.mark.django_db(transaction=True)]
CONSUMER = 5


@pytest.fixture(autouse=True)
def _seen_nothing() -> None:
    while not tasks.seen.empty():
        tasks.seen.get()


@pytest.fixture
def asked() -> RequestContext:
    """A person's request."""
    return RequestContext.mint(Transport.WEB)


def test_a_task_is_below_the_request_that_asked_for_it(collector: Collector, worker: None, asked: RequestContext):
    request = telemetry.request_span(asked, method="POST", path="/", traceparent="")
    with request as context, bound_context(context):
        enqueue_on_commit(tasks.look)
    seen = tasks.seen.get(timeout=10)
    span, parent = collector.span(tasks.look.name), collector.span("POST")
    assert (span.trace_id, span.parent_id, span.kind) == (parent.trace_id, parent.span_id, CONSUMER)
    assert span.attributes["request.id"] == asked.request_id
    assert seen
    assert seen.trace_id == parent.trace_id


def test_a_task_of_an_untraced_request_has_no_span(collector: Collector, worker: None, asked: RequestContext):
    with bound_context(asked):
        enqueue_on_commit(tasks.look)
    tasks.seen.get(timeout=10)
    telemetry.stop()
    assert collector.spans() == []


def test_a_task_that_breaks_is_told_by_its_type_and_one_that_waits_is_no_failure(
    collector: Collector, worker: None, asked: RequestContext
):
    request = telemetry.request_span(asked, method="POST", path="/", traceparent="")
    with request as context, bound_context(context):
        enqueue_on_commit(tasks.stumble)
        enqueue_on_commit(tasks.look_twice)
    assert collector.span(tasks.stumble.name).attributes["error.type"] == "ZeroDivisionError"

    def of_the_other() -> list[Span]:
        return [span for span in collector.spans() if span.name == tasks.look_twice.name]

    wait_for("both of its attempts", lambda: len(of_the_other()) == 2)
    waited = of_the_other()
    assert not any(span.status or "error.type" in span.attributes for span in waited)


def test_a_scheduled_task_begins_a_trace(collector: Collector):
    context = RequestContext.mint(Transport.SCHEDULE)
    with telemetry.task_span(context, task="doctor", task_id="1", traceparent=None, begins=True) as traced:
        assert traced.trace_id
    assert collector.span("doctor").parent_id == ""
