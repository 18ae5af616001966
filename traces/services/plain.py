"""Placeholder."""
from traces.mapping.account import Placing, Role, SpanAccount
KINDS = {Role.AGENT: "subagent", Role.WORKFLOW: "subagent", Role.TOOL: "tool", Role.MODEL: "model", Role.RETRIEVAL: "retrieval"}


def relate(facts):
    return {one.span_id: Placing(KINDS.get(one.role, "step"), one.outcome) for one in facts}


def map_span(span):
    op = span.attributes.get("gen_ai.operation.name")
    role = {"invoke_agent": Role.AGENT, "execute_tool": Role.TOOL, "chat": Role.MODEL}.get(op, Role.STEP)
    from traces.mapping.account import RunFacts
    a = dict(span.attributes)
    return SpanAccount(span.trace_id, span.span_id, span.parent_id, span.started_at, span.ended_at, role, span.name,
        agent=str(a.pop("gen_ai.agent.name", "")), outcome="running" if span.ended_at is None else "unreported" if "gen_ai.tool.call.result" not in a else "ok",
        arguments=a.pop("gen_ai.tool.call.arguments", None), result=a.pop("gen_ai.tool.call.result", None),
        call_id=str(a.pop("gen_ai.tool.call.id", "")),
        run=RunFacts(request_id=str(a.pop("request.id", ""))), attributes=a, rules={"role": "gen_ai"})


def map_log(record):
    from traces.mapping.account import LogAccount
    return LogAccount(record.trace_id, record.span_id, record.at, record.event_name.upper() or "LOG", "info", fields=dict(record.attributes))
