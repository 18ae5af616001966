"""Which of a model's tool calls became which tool span: by id, else by name, in order."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from traces.mapping.account import Call, SpanFacts
from traces.mapping.forest import Forest, moment

_Scope = tuple[str, str, str]  # the trace, the agent's span in it, the tool


class Match(NamedTuple):
    """The call that a tool span answers, as its model asked for it."""

    call_id: str
    arguments: Any


@dataclass(slots=True)
class _Asked:
    call: Call
    is_taken: bool = False


@dataclass(slots=True)
class _Queue:
    """The calls of one tool that one agent's models asked for: those to come, by model, and those that were asked, the latest on top."""

    to_come: deque[tuple[SpanFacts, deque[_Asked]]] = field(default_factory=deque)
    asked: list[deque[_Asked]] = field(default_factory=list)


def match_calls(forest: Forest, models: list[SpanFacts], tools: list[SpanFacts]) -> dict[str, Match]:
    """For each tool span the call that it answers, where one is found. `models` and `tools` are in their order.

    A tool without a call id answers the latest call of its name, in the same agent, that was asked before it began and that
    nobody else answers. An earlier one that nobody answers was never made.
    """
    by_id, queues = _asked_by(forest, models)
    matches: dict[str, Match] = {}
    for tool in tools:
        known = by_id.get(tool.call_id) if tool.call_id else None
        if known is not None:
            known.is_taken = True
            matches[tool.span_id] = Match(tool.call_id, known.call[2])
    for tool in tools:
        queue = None if tool.call_id else queues.get(_scope(forest, tool, tool.name))
        found = _take_latest(queue, tool) if queue is not None else None
        if found is not None:
            matches[tool.span_id] = Match(found.call[0], found.call[2])
    return matches


def _asked_by(forest: Forest, models: list[SpanFacts]) -> tuple[dict[str, _Asked], dict[_Scope, _Queue]]:
    by_id: dict[str, _Asked] = {}
    queues: dict[_Scope, _Queue] = {}
    for model in sorted(models, key=moment):
        for call in model.calls:
            call_id, name, _arguments = call
            if call_id and call_id in by_id:
                continue
            asked = _Asked(call)
            if call_id:
                by_id[call_id] = asked
            to_come = queues.setdefault(_scope(forest, model, name), _Queue()).to_come
            if not to_come or to_come[-1][0] is not model:
                to_come.append((model, deque()))
            to_come[-1][1].append(asked)
    return by_id, queues


def _scope(forest: Forest, span: SpanFacts, tool: str) -> _Scope:
    return (span.trace, forest.above[span.span_id].agent, tool)


def _take_latest(queue: _Queue, tool: SpanFacts) -> _Asked | None:
    """Of the latest model that asked in time, the first call that is free. Each call is looked at once for all tools."""
    while queue.to_come and queue.to_come[0][0].started_at <= tool.started_at:
        queue.asked.append(queue.to_come.popleft()[1])
    while queue.asked:
        while queue.asked[-1]:
            asked = queue.asked[-1].popleft()
            if not asked.is_taken:
                return asked
        queue.asked.pop()
    return None
