"""What the spans of a run make of each other. Pure: the same for the same spans in any order, however often."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agentconsole.protocol.envelope import Outcome, SpanState
from traces.mapping.account import Placing, Role, SpanFacts
from traces.mapping.asking import Match, match_calls
from traces.mapping.forest import Forest, grow, moment
from traces.mapping.outcomes import FAILURES
from traces.mapping.wholes import Wholes, find_wholes, settle

_KINDS = {Role.TOOL: "tool", Role.TOOL_SIDE: "tool", Role.MODEL: "model", Role.RETRIEVAL: "retrieval"}

_WRAPPINGS_MAX = 16


def relate(spans: Sequence[SpanFacts]) -> dict[str, Placing]:
    """Each span's place among the others, by id.

    `spans` are all that is known of a trace or of a run: what is missing (a parent, a model's span) can only make a place
    less telling, and comes right when it is there. Nothing of an earlier relating is needed.
    """
    forest = grow(spans)
    wholes = find_wholes(forest)
    state = _State(
        forest=forest,
        wholes=wholes,
        matches=match_calls(forest, _askers(wholes), wholes.tools),
        gates=_gates_of(forest, wholes),
        wrapped=_wrapped_agents(forest),
        last_began=_last_began(forest, wholes.tools),
    )
    placings = {span.span_id: _place(span, state) for span in forest.spans.values()}
    _mark_first_failures(forest, placings)
    return placings


@dataclass(frozen=True, slots=True)
class _State:
    forest: Forest
    wholes: Wholes
    matches: dict[str, Match]
    gates: dict[str, list[SpanFacts]]
    wrapped: dict[str, str]
    last_began: dict[tuple[str, str], datetime]


def _askers(wholes: Wholes) -> list[SpanFacts]:
    """Models, and what wraps them: one of both tells the calls."""
    wrapped = [part for parts in wholes.parts.values() for part in parts if part.role == Role.MODEL]
    return sorted(wholes.models + wrapped, key=moment)


def _gates_of(forest: Forest, wholes: Wholes) -> dict[str, list[SpanFacts]]:
    """The waits for a person within a tool call, by the span that stands for it."""
    gates: dict[str, list[SpanFacts]] = {}
    for gate in forest.of(Role.GATE):
        call = forest.above[gate.span_id].call
        if call:
            gates.setdefault(wholes.of.get(call, call), []).append(gate)
    return gates


def _place(span: SpanFacts, state: _State) -> Placing:
    whole = state.wholes.of.get(span.span_id)
    if whole is not None:
        outcome = Outcome.OK if state.wholes.rules[span.span_id] == "part.deferred" else span.outcome
        return Placing("step", outcome, one_with=whole, rules={"one_with": state.wholes.rules[span.span_id]})
    if span.role in (Role.AGENT, Role.WORKFLOW):
        return _place_agent(span, state)
    if span.role == Role.GATE:
        return _place_gate(span, state)
    if span.role in (Role.TOOL, Role.TOOL_SIDE, Role.MODEL):
        return _place_call(span, state)
    return Placing(_KINDS.get(span.role, "step"), span.outcome)


def _place_call(span: SpanFacts, state: _State) -> Placing:
    parts = state.wholes.parts.get(span.span_id, [])
    outcome, taken = settle(span, parts, state.gates.get(span.span_id, []))
    if span.role == Role.MODEL:
        outcome = _unless_answered(span, state)
    match = state.matches.get(span.span_id)
    rules = dict.fromkeys(taken, "taken_from_part")
    call_id, arguments = span.call_id or next((part.call_id for part in parts if part.call_id), ""), None
    if match is not None:
        if not call_id and match.call_id:
            call_id, rules["call_id"] = match.call_id, "model.calls"
        if not span.has_arguments and "arguments" not in taken and match.arguments is not None:
            arguments, rules["arguments"] = match.arguments, "model.calls"
    return Placing(_KINDS[span.role], outcome, call_id=call_id, arguments=arguments, taken_from=taken, rules=rules)


def _place_gate(gate: SpanFacts, state: _State) -> Placing:
    outcome = _unless_answered(gate, state)
    return Placing("step", outcome, rules={"outcome": "gate.answered"} if outcome != gate.outcome else {})


def _place_agent(span: SpanFacts, state: _State) -> Placing:
    """An agent within a tool call or another agent is a sub-agent; the outermost is the run itself, and a step of it."""
    forest = state.forest
    is_agent = span.role == Role.AGENT
    holder = _holder(span, forest)
    is_top = not forest.above[span.span_id].is_in_agent if is_agent else holder is None
    outcome = _unless_answered(span, state)
    twin = (
        holder.span_id if holder is not None and _is_same_agent(span, holder) else state.wrapped.get(span.span_id, "")
    )
    if twin:
        return Placing("step", outcome, one_with=twin, rules={"kind": "agent.same_name"})
    if holder is None:
        return Placing("step", outcome, is_top=True, rules={"kind": "agent.outermost"})
    if not is_agent:
        return Placing("step", outcome, rules={"kind": "workflow.within"})
    rule = {"kind": "agent.of_tool" if holder.role in (Role.TOOL, Role.TOOL_SIDE) else "agent.delegated"}
    return Placing("subagent", outcome, is_top=is_top, rules=rule)


def _holder(span: SpanFacts, forest: Forest) -> SpanFacts | None:
    """The agent, workflow or tool call that holds an agent; a workflow of its own name is only its wrapping."""
    holder = forest.spans.get(forest.above[span.span_id].holder)
    for _ in range(_WRAPPINGS_MAX):
        is_wrapping = holder is not None and span.role == Role.AGENT and holder.role == Role.WORKFLOW
        if holder is None or not is_wrapping or not _is_same_agent(span, holder):
            break
        holder = forest.spans.get(forest.above[holder.span_id].holder)
    return holder


def _is_same_agent(span: SpanFacts, holder: SpanFacts) -> bool:
    return holder.role in (Role.AGENT, Role.WORKFLOW) and (span.agent or span.name) in (holder.name, holder.agent)


def _wrapped_agents(forest: Forest) -> dict[str, str]:
    """Workflows that only wrap an agent of their own name, to that agent, the first of several."""
    wrapped: dict[str, str] = {}
    for agent in forest.of(Role.AGENT):
        holder = forest.spans.get(forest.above[agent.span_id].holder)
        if holder is not None and holder.role == Role.WORKFLOW and _is_same_agent(agent, holder):
            wrapped.setdefault(holder.span_id, agent.span_id)
    return wrapped


def _unless_answered(span: SpanFacts, state: _State) -> str:
    """A wait that no tool call tells of is over when the calls that it held back have begun."""
    if span.outcome != SpanState.WAITING or not span.calls:
        return span.outcome
    since, agent = span.ended_at or span.started_at, _agent_of(span, state.forest)
    began = (
        state.last_began.get(("", call_id) if call_id else (agent, name)) for call_id, name, _arguments in span.calls
    )
    return Outcome.OK if all(moment is not None and moment >= since for moment in began) else span.outcome


def _last_began(forest: Forest, tools: list[SpanFacts]) -> dict[tuple[str, str], datetime]:
    """When a call last began: by its id, and by its agent's name and its tool. `tools` are in their order."""
    began: dict[tuple[str, str], datetime] = {}
    for tool in tools:
        began[_agent_of(tool, forest), tool.name] = tool.started_at
        if tool.call_id:
            began["", tool.call_id] = tool.started_at
    return began


def _agent_of(span: SpanFacts, forest: Forest) -> str:
    """The name of the agent in which a span is."""
    agent = forest.spans.get(forest.above[span.span_id].agent)
    return span.agent or (agent.agent or agent.name if agent is not None else "")


def _mark_first_failures(forest: Forest, placings: dict[str, Placing]) -> None:
    """Where a failure went up through the spans, each names the innermost, which has the whole story."""
    first: dict[str, str] = {}
    for span_id in forest.bottom_up():
        span = forest.spans[span_id]
        if span.outcome not in FAILURES or not span.error:
            continue
        for child_id in forest.children.get(span_id, ()):
            if forest.spans[child_id].error == span.error:
                first[span_id] = first.get(child_id, child_id)
                placings[span_id] = replace(placings[span_id], error_from=first[span_id])
                break
