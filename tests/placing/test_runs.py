"""A trace is a run of the agent whose credential brought it, whatever of it comes first."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from agentconsole.protocol.context import RequestContext, Transport, bound_context
from runs.models import Run, RunTrace, Span
from runs.services.waits import begin_wait
from runs.signals import runs_appeared
from runs.wait_spans import wait_span_id
from tests.cast import AgentCaller, make_agent
from tests.ingest.items import ended, new_run, run_started
from tests.ingest.items import span as native_span
from tests.placing.exports import new_trace, span, store_spans
from traces.otlp.shapes import Export
from traces.services.exports import store_export

pytestmark = pytest.mark.django_db
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage"}


def test_it_is_found_by_its_request_id_and_its_trace_id(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1, attributes={"request.id": "req-1"}))
    run = Run.objects.get(request_id="req-1")
    assert (run.trace_id, run.actor, run.transport) == (trace, "agent:triage/one", "rest")
    assert run.id.version == 7
    assert datetime.fromtimestamp((run.id.int >> 80) / 1000, UTC) == run.started_at


def test_without_a_request_id_the_trace_id_is_one(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1, attributes={"request.id": "no request id, as anyone sees"}))
    assert Run.objects.get().request_id == trace


def test_the_root_is_believed_before_others_whenever_it_comes(agent: AgentCaller):
    trace = new_trace()
    appeared: list[Any] = []

    def hear(run_ids: list[Any], **more: Any) -> None:
        appeared.extend(run_ids)

    runs_appeared.connect(hear)
    store_spans(agent.instance, span(trace, 2, 1, attributes={"request.id": "req-inner", "user.id": "u-1"}))
    store_spans(agent.instance, span(trace, 1, attributes={"request.id": "req-outer"}))
    runs_appeared.disconnect(hear)
    run = Run.objects.get()
    assert (run.request_id, run.on_behalf_of, appeared) == ("req-outer", "u-1", [run.id, run.id])


def test_the_door_is_told(agent: AgentCaller):
    with bound_context(RequestContext.mint(Transport.GRPC)):
        store_spans(agent.instance, span(new_trace(), 1))
    assert Run.objects.get().transport == "grpc"


def test_another_agents_trace_of_the_same_id_is_another_run(agent: AgentCaller):
    trace, other = new_trace(), make_agent("dev", "other")
    store_spans(agent.instance, span(trace, 1))
    store_spans(other.instance, span(trace, 1))
    assert [run.span_count for run in Run.objects.all()] == [1, 1]


def test_spans_join_the_run_that_the_agent_itself_began(agent: AgentCaller):
    trace, run_id = new_trace(), new_run()
    told = native_span(run_id, name="lookup_order")
    agent.send(run_started(run_id, trace_id=trace, request_id="req-own"), ended(told))
    twice = span(trace, int(told["id"], 16), name="its own account")
    store_spans(agent.instance, span(trace, 7, attributes={"request.id": "req-other"}), twice)
    run = Run.objects.get()
    assert (str(run.id), run.request_id, run.span_count, run.is_traced) == (run_id, "req-own", 2, False)
    assert Span.objects.get(span_id=told["id"]).name == "lookup_order"
    assert RunTrace.objects.get().run_id == run.id


def test_their_spans_are_related_to_the_agents_own(agent: AgentCaller):
    trace, run_id = new_trace(), new_run()
    call = native_span(run_id, name="ask_supplier", trace_id=trace, arguments={"q": 1})
    agent.send(run_started(run_id, trace_id=trace), ended(call))
    store_spans(agent.instance, span(trace, 7, int(call["id"], 16), attributes=AGENT))
    assert Span.objects.get(span_id=f"{7:016x}").kind == "subagent"


def test_a_run_that_comes_after_its_trace_takes_over_what_came(agent: AgentCaller):
    trace, run_id = new_trace(), new_run()
    store_spans(agent.instance, span(trace, 1, attributes={"request.id": "req-1"}), span(trace, 2, 1, attributes=TOOL))
    agent.send(run_started(run_id, trace_id=trace), native_span(run_id, id=f"{1:016x}", name="told"))
    store_spans(agent.instance, span(trace, 3, 1))
    run = Run.objects.get()
    assert (str(run.id), run.span_count, run.tools) == (run_id, 3, {"unreported": 1, "running": 1})
    assert [row.name for row in run.spans.order_by("span_id")] == ["told", "search", "span 3"]
    assert sorted(run.spans.values_list("seq", flat=True)) == sorted(set(run.spans.values_list("seq", flat=True)))


def test_a_run_that_people_were_asked_about_stays_beside_the_agents_own(agent: AgentCaller):
    trace, run_id = new_trace(), new_run()
    store_spans(agent.instance, span(trace, 1))
    traced = Run.objects.get()
    begin_wait(run=traced, action_id=UUID(new_run()), name="refund", at=traced.started_at)
    agent.send(run_started(run_id, trace_id=trace))
    assert Run.objects.count() == 2


def test_what_the_agent_tells_of_a_span_is_believed_before_its_trace(agent: AgentCaller):
    trace, run_id = new_trace(), new_run()
    told = native_span(run_id, name="lookup_order")
    agent.send(run_started(run_id, trace_id=trace))
    store_spans(agent.instance, span(trace, int(told["id"], 16), name="its own account"))
    agent.send(ended(told))
    stored = Span.objects.get()
    assert (stored.name, stored.mapping, Run.objects.get().tools) == ("lookup_order", None, {"ok": 1})


def test_the_consoles_own_wait_is_no_span_of_theirs(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1))
    run, action = Run.objects.get(), UUID(new_run())
    begin_wait(run=run, action_id=action, name="refund", at=run.started_at)
    forged = span(trace, int(wait_span_id(action), 16))
    outcome = store_export(Export(2, (span(trace, 2), forged)), instance=agent.instance)
    assert [(one.index, one.code) for one in outcome.refused] == [(1, "console_span")]
    assert Span.objects.get(span_id=forged.span_id).outcome == "waiting"


def test_a_notice_shows_work_that_has_begun(agent: AgentCaller):
    trace = new_trace()
    notice = span(
        trace, 9, 2, attributes={**AGENT, "logfire.span_type": "pending_span", "logfire.pending_parent_id": f"{1:016x}"}
    )
    store_spans(agent.instance, notice)
    begun = Span.objects.get()
    assert (begun.span_id, begun.parent_id, begun.outcome) == (f"{2:016x}", f"{1:016x}", "running")
    store_spans(agent.instance, span(trace, 2, 1, attributes=AGENT))
    store_spans(agent.instance, notice)
    assert (Span.objects.get().outcome, Run.objects.get().span_count) == ("ok", 1)


def test_of_a_very_large_run_a_batch_reads_a_part(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("traces.services.writer.WHOLE", 10)
    monkeypatch.setattr("traces.services.neighbours.WHOLE", 10)
    trace = new_trace()
    store_spans(agent.instance, *(span(trace, number, 1, at=number * 10) for number in range(2, 30)))
    store_spans(agent.instance, span(trace, 1, took=300, attributes=AGENT), span(trace, 40, 29, at=295))
    run = Run.objects.get()
    assert (run.span_count, (run.source or {})["name"]) == (30, "triage")
