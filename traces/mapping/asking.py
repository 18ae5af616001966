"""Which of a model's tool calls became which tool span: by id, else by name, in order."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from traces.mapping.account import Call, SpanFacts
from traces.mapping.forest import Forest, moment


class Match(NamedTuple):
    """The call that a tool span answers, as its model asked for it."""

    call_id: str
    arguments: Any


@dataclass(slots=True)
class _Asked:
    model: SpanFacts
    call: Call
    is_taken: bool = False


@dataclass(slots=True)
class Asking:
    """All tool calls that models asked for: by id, and by the agent in which they asked."""

    by_id: dict[str, _Asked] = field(default_factory=dict)
    by_name: dict[tuple[str, str, str], list[_Asked]] = field(
        default_factory=dict
    )  # trace, agent's span, tool; in order


def match_calls(forest: Forest, models: list[SpanFacts], tools: list[SpanFacts]) -> dict[str, Match]:
    """For each tool span the call that it answers, where one is found. `models` and `tools` are in their order.

    A tool without a call id answers the latest call of its name, in the same agent, that was asked before it began and that
    nobody else answers. An earlier one that nobody answers was never made.
    """
    asking = _asked_by(forest, models)
    matches: dict[str, Match] = {}
    for tool in tools:
        asked = asking.by_id.get(tool.call_id) if tool.call_id else None
        if asked is not None:
            asked.is_taken = True
            matches[tool.span_id] = Match(tool.call_id, asked.call[2])
    for tool in tools:
        if not tool.call_id:
            asked = _latest(asking.by_name.get(_scope(forest, tool, tool.name), []), tool)
            if asked is not None:
                asked.is_taken = True
                matches[tool.span_id] = Match(asked.call[0], asked.call[2])
    return matches


def _asked_by(forest: Forest, models: list[SpanFacts]) -> Asking:
    asking = Asking()
    for model in sorted(models, key=moment):
        for call in model.calls:
            call_id, name, _arguments = call
            if call_id and call_id in asking.by_id:
                continue
            asked = _Asked(model, call)
            if call_id:
                asking.by_id[call_id] = asked
            asking.by_name.setdefault(_scope(forest, model, name), []).append(asked)
    return asking


def _scope(forest: Forest, span: SpanFacts, tool: str) -> tuple[str, str, str]:
    return (span.trace, forest.above[span.span_id].agent, tool)


def _latest(asked: list[_Asked], tool: SpanFacts) -> _Asked | None:
    """Of the latest model that asked in time, the first call that is free."""
    found: _Asked | None = None
    for one in reversed(asked):
        if one.is_taken or one.model.started_at > tool.started_at:
            continue
        if found is not None and one.model is not found.model:
            break
        found = one
    return found
