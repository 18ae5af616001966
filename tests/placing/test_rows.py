"""A span is stored as its source told it, whatever that was: redacted, then cut, and what repeats once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from runs.ingest.clean import MAX_STRUCTURE_BYTES
from runs.models import Run, Span
from tests.cast import AgentCaller
from tests.placing.exports import new_trace, rows, span, store, store_spans
from traces.otlp.shapes import Export, OtlpEvent, OtlpLog, Resource, Scope

pytestmark = pytest.mark.django_db
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
LONG = "a long answer " * 100
AWS_KEY = "AKIA" + "Q3EGWJ5XV7PZK2MN"
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" + "K1l2M3n4O5p6q7R8"


def stored(number: int) -> Span:
    return Span.objects.get(span_id=f"{number:016x}")


def test_a_span_that_no_convention_knows_is_a_step_with_all_it_has(agent: AgentCaller):
    store_spans(agent.instance, span(new_trace(), 1, name="anything", attributes={"a.b": 1, "c": ["d", True]}))
    kept = stored(1)
    assert (kept.kind, kept.name) == ("step", "anything")
    assert {"a.b": 1, "c": ["d", True]}.items() <= kept.attributes.items()


def test_more_attributes_than_a_span_may_have_are_left_out_and_it_says_so(agent: AgentCaller):
    many = {f"key.{number}": f"{number} " * 300 for number in range(100)}
    store_spans(agent.instance, span(new_trace(), 1, attributes={**many, "small": "kept"}))
    kept = stored(1)
    assert len(json.dumps(kept.attributes)) <= MAX_STRUCTURE_BYTES * 1.1
    assert kept.attributes["small"] == "kept"
    assert kept.cut["attributes"]["left_out"] > 20_000


def test_no_field_of_a_span_or_a_record_keeps_a_secret(agent: AgentCaller):
    secret, told = Scope(TOKEN, TOKEN), {TOKEN: 1, "exception.message": TOKEN, "exception.stacktrace": f"at {TOKEN}"}
    names = (
        "request.id",
        "session.id",
        "user.id",
        "gen_ai.agent.name",
        "gen_ai.tool.call.id",
        "langgraph_node",
        "extra",
    )
    attributes = {**TOOL, TOKEN: TOKEN, **dict.fromkeys(names, TOKEN), "gen_ai.tool.call.result": {"said": [TOKEN]}}
    event = OtlpEvent(datetime.now(UTC), "exception", told)
    resource = Resource({"service.name": TOKEN, "request.id": TOKEN})
    trace = new_trace()
    failed = span(
        trace, 1, name=TOKEN, attributes=attributes, events=(event,), status_code=2, status_message=TOKEN, scope=secret,
        resource=resource,
    )  # fmt: skip
    record = OtlpLog(
        datetime.now(UTC), body=TOKEN, event_name=AWS_KEY, attributes=attributes, trace_id=trace, scope=secret
    )
    store([Export(2, (failed,), (record,))], agent.instance)
    kept = json.dumps(rows(), default=str)
    assert TOKEN[4:] not in kept
    assert AWS_KEY not in kept


def test_secrets_are_redacted_before_anything_is_cut(agent: AgentCaller):
    attributes = {**TOOL, "gen_ai.tool.call.result": "x" * 10_640 + TOKEN + "y" * 20_000, "note": f"with {TOKEN}"}
    store_spans(agent.instance, span(new_trace(), 1, name=f"call {TOKEN}", attributes=attributes))
    assert TOKEN[4:] not in json.dumps(rows(), default=str)


def test_a_long_text_is_kept_where_it_is_a_tools_result(agent: AgentCaller):
    trace = new_trace()
    store_spans(
        agent.instance, span(trace, 2, 1, attributes={"answer": LONG, "messages": json.dumps([{"said": LONG}])})
    )
    assert stored(2).attributes["answer"] == LONG
    store_spans(agent.instance, span(trace, 3, 1, at=1, attributes={**TOOL, "gen_ai.tool.call.result": LONG}))
    reference = {"same_as": f"{3:016x}.result", "chars": len(LONG)}
    assert stored(3).result == LONG
    assert stored(2).attributes["answer"] == reference
    assert stored(2).attributes["messages"] == [{"said": reference}]


def test_two_calls_with_one_result_are_two_results(agent: AgentCaller):
    trace, attributes = new_trace(), {**TOOL, "gen_ai.tool.call.result": LONG}
    store_spans(agent.instance, span(trace, 1, attributes=attributes), span(trace, 2, attributes=attributes))
    assert [stored(1).result, stored(2).result] == [LONG, LONG]


def test_a_tool_is_slow_by_the_budget_that_is_set(agent: AgentCaller, settings: Any):
    settings.OTLP_SOFT_MS = 300
    trace, attributes = new_trace(), {**TOOL, "gen_ai.tool.call.result": "found"}
    store_spans(
        agent.instance,
        span(trace, 1, took=0.3, attributes=attributes),
        span(trace, 2, took=0.35, attributes=attributes),
        span(trace, 3, took=9, attributes={"gen_ai.operation.name": "chat"}),
    )
    assert Run.objects.get().tools == {"ok": 1, "slow": 1}
    assert stored(2).soft_ms == 300
    assert (stored(3).outcome, stored(3).soft_ms) == ("unreported", None)


def test_why_it_was_mapped_so_is_kept(agent: AgentCaller):
    store_spans(agent.instance, span(new_trace(), 1, attributes=TOOL))
    mapping = stored(1).mapping or {}
    assert (mapping["role"], mapping["rules"]["name"]) == ("tool", "gen_ai.tool.name")
