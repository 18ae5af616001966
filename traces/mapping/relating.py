"""What the spans of a run make of each other. Pure: the same for the same spans in any order, however often."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agentconsole.protocol.envelope import Outcome, SpanState
from traces.mapping.account import Placing, Role, SpanFacts
from traces.mapping.asking import Match, match_calls
from traces.mapping.forest import Forest, grow, moment
from traces.mapping.outcomes import FAILURES
from traces.mapping.wholes import Wholes, find_wholes, settle

_KINDS = {Role.TOOL: "tool", Role.TOOL_SIDE: "tool", Role.MODEL: "model", Role.RETRIEVAL: "retrieval"}


def relate(spans: Sequence[SpanFacts]) -> dict[str, Placing]:
    """Each span's place among the others, by id.

    `spans` are all that is known of a trace or of a run: what is missing (a parent, a model's span) can only make a place
    less telling, and comes right when it is there. Nothing of an earlier relating is needed.
    """
    forest = grow(spans)
    wholes = find_wholes(forest)
    state = _State(forest, wholes, match_calls(forest, _askers(wholes), wholes.tools), _gates_of(forest, wholes))
    placings = {span.span_id: _place(span, state) for span in forest.spans.values()}
    _mark_first_failures(forest, placings)
    return placings


@dataclass(frozen=True, slots=True)
class _State:
    forest: Forest
    wholes: Wholes
    matches: dict[str, Match]
    gates: dict[str, list[SpanFacts]] = field(default_factory=dict)


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
        return _place_agent(span, state.forest)
    if span.role == Role.GATE:
        return _place_gate(span, state)
    if span.role in (Role.TOOL, Role.TOOL_SIDE, Role.MODEL):
        return _place_call(span, state)
    return Placing(_KINDS.get(span.role, "step"), span.outcome)


def _place_call(span: SpanFacts, state: _State) -> Placing:
    parts = state.wholes.parts.get(span.span_id, [])
    outcome, taken = settle(span, parts, state.gates.get(span.span_id, []))
    match = state.matches.get(span.span_id)
    rules = dict.fromkeys(taken, "taken_from_part")
    call_id, arguments = span.call_id or next((part.call_id for part in parts if part.call_id), ""), None
    if match is not None:
        if not call_id and match.call_id:
            call_id, rules["call_id"] = match.call_id, "model.calls"
        if not span.has_arguments and "arguments" not in taken and match.arguments is not None:
            arguments, rules["arguments"] = match.arguments, "model.calls"
    return Placing(_KINDS[span.role], outcome, call_id=call_id, arguments=arguments, taken_from=taken, rules=rules)


def _place_agent(span: SpanFacts, forest: Forest) -> Placing:
    """An agent within a tool call or another agent is a sub-agent; the outermost is the run itself, and a step of it."""
    above = forest.above[span.span_id]
    holder = forest.spans.get(above.holder)
    is_agent = span.role == Role.AGENT
    is_top = not above.is_in_agent if is_agent else holder is None
    if holder is None:
        return Placing("step", span.outcome, is_top=True, rules={"kind": "agent.outermost"})
    if holder.role in (Role.AGENT, Role.WORKFLOW) and (span.agent or span.name) in (holder.name, holder.agent):
        rule = {"kind": "agent.same_name"}
        return Placing("step", span.outcome, one_with=holder.span_id, is_top=is_agent and is_top, rules=rule)
    if not is_agent:
        return Placing("step", span.outcome, rules={"kind": "workflow.within"})
    rule = {"kind": "agent.of_tool" if holder.role in (Role.TOOL, Role.TOOL_SIDE) else "agent.delegated"}
    return Placing("subagent", span.outcome, is_top=is_top, rules=rule)


def _place_gate(gate: SpanFacts, state: _State) -> Placing:
    """A wait that no tool call tells of is over when the call that it held back has begun."""
    names = {name for _id, name, _arguments in gate.calls}
    if gate.outcome != SpanState.WAITING or not names:
        return Placing("step", gate.outcome)
    since = gate.ended_at or gate.started_at
    ran = {tool.name for tool in state.wholes.tools if tool.started_at >= since and tool.agent == gate.agent}
    if names <= ran:
        return Placing("step", Outcome.OK, rules={"outcome": "gate.answered"})
    return Placing("step", SpanState.WAITING)


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
