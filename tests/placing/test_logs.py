"""A log record is an event of its run, and tells of the tool call that it is about, before or after its span."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from runs.models import Run, Span, TraceEvent
from tests.cast import AgentCaller
from tests.placing.exports import forget, new_trace, rows, span, store
from traces.otlp.shapes import Export, OtlpLog, Scope
from traces.services.exports import store_export

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "call_1"}


def record(trace_id: str, **attributes: Any) -> Export:
    scope = Scope(name="com.anthropic.claude_code.events")
    body = f"claude_code.{attributes.get('event.name', 'note')}"
    return Export(1, logs=(OtlpLog(at=AT, body=body, trace_id=trace_id, attributes=attributes, scope=scope),))


def test_it_is_an_event_of_its_traces_run_once(agent: AgentCaller):
    trace = new_trace()
    outcomes = store([record(trace, color="red")] * 2, agent.instance)
    assert [(outcome.stored, outcome.duplicates) for outcome in outcomes] == [(1, 0), (0, 1)]
    event, run = TraceEvent.objects.get(), Run.objects.get()
    assert (event.fields["color"], event.at, run.trace_id, run.event_count) == ("red", AT, trace, 1)


def test_what_it_tells_of_a_call_is_the_calls_in_any_order(agent: AgentCaller):
    trace = new_trace()
    told = {"event.name": "tool_result", "tool_use_id": "call_1", "tool_input": '{"q": "A-1009"}'}
    call = span(trace, 1, attributes=TOOL)
    exports = [
        record(trace, **told),
        Export(1, (call,)),
        record(trace, **told, success="false", error="401 Unauthorized"),
    ]
    seen = []
    for order in permutations(exports):
        forget()
        store(order, agent.instance)
        seen.append(rows())
    stored = Span.objects.get()
    assert (stored.arguments, stored.outcome) == ('{"q":"A-1009"}', "auth_failed")
    assert Run.objects.get().tools == {"auth_failed": 1}
    assert all(each == seen[0] for each in seen)


def test_without_a_trace_it_belongs_to_the_run_of_its_request(agent: AgentCaller):
    trace = new_trace()
    store([Export(1, (span(trace, 1, attributes={"request.id": "req-1"}),))], agent.instance)
    store([record("", **{"request.id": "req-1"})], agent.instance)
    assert TraceEvent.objects.get().run.trace_id == trace


def test_without_any_run_it_is_refused_with_what_to_do(agent: AgentCaller):
    refused = store_export(record("", **{"request.id": "req-1"}), instance=agent.instance).refused
    assert [(one.index, one.code) for one in refused] == [(0, "no_run")]
    assert "request.id" in refused[0].message
