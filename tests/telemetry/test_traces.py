"""A request, its SQL and its tasks are one trace under one request id; what is no request is none."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from agentconsole import telemetry
from agentconsole.celery import CONTEXT_HEADER
from agentconsole.jobs import enqueue_on_commit
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from tests.cast import AgentCaller
from tests.ingest.items import new_run, run_started
from tests.jobs import tasks
from tests.telemetry.collectors import Collector

pytestmark = [pytest.mark.usefixtures("started"), pytest.mark.django_db(transaction=True)]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SERVER, CLIENT = 2, 3


@pytest.fixture
def asked() -> RequestContext:
    """A person's request."""
    return RequestContext.mint(Transport.WEB)


def names(collector: Collector) -> list[str]:
    """Of all spans, once everything is delivered."""
    telemetry.stop()
    return [span.name for span in collector.spans()]


def test_a_request_is_a_span_below_its_callers_and_says_its_route(collector: Collector):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "req_one"}
    assert Client().get("/login/", headers=headers).status_code == 200
    span = collector.span("GET login/")
    assert (span.trace_id, span.parent_id, span.kind) == (TRACE, PARENT, SERVER)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "login/",
        "http.response.status_code": 200,
        "request.id": "req_one",
    }
    assert span.resource["service.name"] == "agentconsole"
    assert span.resource["deployment.environment.name"] == "dev"


def test_the_log_lines_of_a_request_name_its_trace(collector: Collector, logged: Callable[[str], list[Any]]):
    Client().get("/login/")
    (line,) = logged("REQUEST_FINISHED")
    assert line["trace_id"] == collector.span("GET login/").trace_id


def test_queries_are_below_their_request(collector: Collector, sign_in: Any, viewer: Any):
    browser = sign_in(viewer)
    browser.get("/settings/password", headers={"X-Request-ID": "req_two"})
    request = collector.span("GET settings/password")
    queries = [span for span in collector.spans() if span.kind == CLIENT]
    assert queries
    for query in queries:
        assert (query.trace_id, query.parent_id) == (request.trace_id, request.span_id)
        assert query.attributes["request.id"] == "req_two"
        assert query.attributes["db.query.text"].startswith(query.name)


def test_an_answer_that_says_the_console_broke_is_a_failed_span(collector: Collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("django.contrib.auth.views.LoginView.get_context_data", _break)
    Client().get("/login/")
    span = collector.span("GET login/")
    assert (span.status, span.attributes["error.type"]) == (2, "500")


def _break(*args: Any, **kwargs: Any) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "path", ["/static/none.css", "/health/", "/v1/traces", "/under/a/prefix/v1/traces", "/v1/logs"]
)
def test_probes_files_and_intakes_are_not_traced(collector: Collector, path: str):
    Client().get(path)
    assert names(collector) == []


def test_what_agents_send_makes_no_span_and_no_task_of_it_does(
    collector: Collector, agent: AgentCaller, sent: Callable[[], list[dict[str, Any]]]
):
    assert agent.send(run_started(new_run())).status_code == 200
    assert all("traceparent" not in message for message in sent())
    assert names(collector) == []


def test_nothing_else_carries_a_trace_to_a_task(asked: RequestContext, sent: Callable[[], list[dict[str, Any]]]):
    with bound_context(asked):
        enqueue_on_commit(tasks.look)
    (message,) = sent()
    assert message[CONTEXT_HEADER]["request_id"] == asked.request_id
    assert "traceparent" not in message
