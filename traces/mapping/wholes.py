"""Several spans of one call: which one stands for it, and what it takes from the others."""

from collections import defaultdict
from dataclasses import dataclass, field

from agentconsole.protocol.envelope import Outcome, SpanState
from traces.mapping.account import Role, SpanFacts
from traces.mapping.forest import Forest, moment
from traces.mapping.outcomes import FAILURES, merged

_CALLS = (Role.TOOL, Role.TOOL_SIDE, Role.TOOL_PART)
_OPEN = frozenset({SpanState.WAITING, SpanState.RUNNING})
_CALLS_MAX = 200  # calls of one name among which a server's span looks for its own
_UNSURE = frozenset({SpanState.UNREPORTED, SpanState.RUNNING, Outcome.ERROR})


@dataclass(slots=True)
class Wholes:
    """`of` maps each part to the span that stands for its call, `rules` to the rule that found it; `parts` is the other way."""

    of: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    parts: dict[str, list[SpanFacts]] = field(default_factory=lambda: defaultdict(list))
    tools: list[SpanFacts] = field(default_factory=list)
    models: list[SpanFacts] = field(default_factory=list)

    def add(self, part: SpanFacts, whole: str, rule: str) -> None:
        """Note that a span is a part of a call; what stands for the call may itself turn out to be a part."""
        self.of[part.span_id] = whole
        self.rules[part.span_id] = rule

    def gather(self, forest: Forest) -> None:
        """Give each call its parts, those of its parts too, in their order."""
        for span_id, whole in self.of.items():
            while whole in self.of:
                whole = self.of[whole]  # noqa: PLW2901  up to what stands for all
            self.of[span_id] = whole
            self.parts[whole].append(forest.spans[span_id])
        for parts in self.parts.values():
            parts.sort(key=moment)


def find_wholes(forest: Forest) -> Wholes:
    """Which spans are parts of which call."""
    wholes = Wholes()
    _join_by_ancestry(forest, wholes)
    _join_models(forest, wholes)
    _join_server_sides(forest, wholes)
    _join_same_ids(wholes)
    wholes.tools = [tool for tool in wholes.tools if tool.span_id not in wholes.of]
    wholes.gather(forest)
    return wholes


def _join_by_ancestry(forest: Forest, wholes: Wholes) -> None:
    """A tool's span below another of the same tool is that call from inside, unless both have ids that differ."""
    for span_id in forest.above:  # parents first
        span = forest.spans[span_id]
        if span.role not in _CALLS:
            continue
        call = forest.above[span_id].call
        whole = forest.spans.get(wholes.of.get(call, call))
        if whole is not None and _is_same_call(span, whole):
            wholes.add(span, whole.span_id, "part.of_tool" if span.role == Role.TOOL_PART else "part.by_ancestry")
        elif span.role != Role.TOOL_PART:
            wholes.tools.append(span)
    wholes.tools.sort(key=moment)


def _is_same_call(part: SpanFacts, whole: SpanFacts) -> bool:
    if part.call_id and whole.call_id and part.call_id != whole.call_id:
        return False
    return part.role == Role.TOOL_PART or part.name == whole.name


def _join_models(forest: Forest, wholes: Wholes) -> None:
    """Of model spans within each other the outermost that tells its tokens is the call: what wraps it would count it twice."""
    usage_above: dict[str, str] = {}
    silent: list[SpanFacts] = []
    for span_id in forest.above:  # parents first
        span = forest.spans[span_id]
        if span.role != Role.MODEL:
            continue
        outer = forest.above[span_id].model
        usage_above[span_id] = outer if outer and forest.spans[outer].has_usage else usage_above.get(outer, "")
        if usage_above[span_id]:
            wholes.add(span, usage_above[span_id], "model.within_model")
        elif span.has_usage:
            wholes.models.append(span)
            while outer and outer not in wholes.of:
                wholes.add(forest.spans[outer], span_id, "model.wraps_model")
                outer = forest.above[outer].model
        else:
            silent.append(span)
    for span in silent:
        outer = forest.above[span.span_id].model
        if span.span_id in wholes.of:
            continue
        if outer:
            wholes.add(span, wholes.of.get(outer, outer), "model.within_model")
        else:
            wholes.models.append(span)
    wholes.models.sort(key=moment)


def _join_server_sides(forest: Forest, wholes: Wholes) -> None:
    """A tool's span from the inside that hangs elsewhere (an MCP server in the same process) is that of the call of its
    name during which it began; of several, the latest that has none yet."""
    by_name: dict[str, list[SpanFacts]] = defaultdict(list)
    for tool in wholes.tools:
        if tool.role == Role.TOOL:
            by_name[tool.name].append(tool)
    served: set[str] = set()
    for part in wholes.tools:
        if part.role != Role.TOOL_SIDE:
            continue
        agent = forest.above[part.span_id].agent
        calls = [
            tool
            for tool in by_name.get(part.name, ())[-_CALLS_MAX:]
            if part.trace == tool.trace and _is_during(part, tool) and agent in ("", forest.above[tool.span_id].agent)
        ]
        if calls:
            free = [tool for tool in calls if tool.span_id not in served]
            whole = (free or calls)[-1].span_id
            served.add(whole)
            wholes.add(part, whole, "part.server_side")


def _is_during(part: SpanFacts, tool: SpanFacts) -> bool:
    return tool.started_at <= part.started_at and (tool.ended_at is None or part.started_at <= tool.ended_at)


def _join_same_ids(wholes: Wholes) -> None:
    """Two spans of one tool with one call id. A call that waited for a person and then ran: the later one tells how it ended.
    Else, if they overlap, two instrumentations told it: the earlier one is the call. A try after the other is its own."""
    known: dict[tuple[str, str], list[SpanFacts]] = defaultdict(list)
    for tool in wholes.tools:
        if tool.call_id and tool.span_id not in wholes.of:
            known[tool.name, tool.call_id].append(tool)
    for first, *others in known.values():
        for tool in (first, *others[:-1]):
            if others and tool.outcome == SpanState.WAITING:
                wholes.add(tool, others[-1].span_id, "part.deferred")
        for tool in others:
            if first.span_id not in wholes.of and tool.trace == first.trace and _is_during(tool, first):
                wholes.add(tool, first.span_id, "part.same_id")


def settle(whole: SpanFacts, parts: list[SpanFacts], gates: list[SpanFacts]) -> tuple[str, dict[str, str]]:
    """A call's outcome, and the parts that it takes its outcome's message, its result or its arguments from, by column."""
    taken: dict[str, str] = {}
    if not whole.has_result and (giver := next((part for part in parts if part.has_result), None)):
        taken["result"] = giver.span_id
    if not whole.has_arguments and (giver := next((part for part in parts if part.has_arguments), None)):
        taken["arguments"] = giver.span_id
    outcome = whole.outcome
    if outcome in _UNSURE:
        for part in parts:
            tells = part.outcome in FAILURES or part.span_id == taken.get("result")
            if tells and (told := merged(outcome, part.outcome)) != outcome:
                outcome, taken["message"] = told, part.span_id
    for gate in gates:
        if whole.outcome in _UNSURE and gate.outcome in (*_OPEN, Outcome.REJECTED):
            outcome = Outcome.REJECTED if gate.outcome == Outcome.REJECTED else SpanState.WAITING
            taken["message"] = gate.span_id
    return outcome, taken
