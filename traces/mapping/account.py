"""What one span or log record says by itself, in the console's words, and what its neighbours make of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What a span is in its source's telling. What it is shown as follows from its neighbours too (`relate`)."""

    AGENT = "agent"  # an agent at work; a sub-agent where it was called by another
    WORKFLOW = "workflow"  # what holds agents: a crew, a graph, a chain at the top
    TOOL = "tool"  # a tool call as its caller sees it
    TOOL_PART = "tool_part"  # a stage of the call above it, without a name of its own: its execution
    TOOL_SIDE = "tool_side"  # the same call by name from another side: MCP's client or server. Alone, it is the call
    MODEL = "model"
    RETRIEVAL = "retrieval"
    STEP = "step"  # a task, a node, a turn, and whatever no convention knows
    HANDOFF = "handoff"
    GATE = "gate"  # a wait for a person
    NOISE = "noise"  # protocol talk that is no work: kept as a step


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a span knows of the run it belongs to. Blank: it does not say.

    `resource_request_id` is what its sender says of itself as a whole: it is believed last, after every span.
    """

    request_id: str = ""
    session_id: str = ""
    user: str = ""
    query: str = ""
    resource_request_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model call: its model, tokens and cost as the source reports them. None: it does not say."""

    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


# A tool call that a model asked for: its id or "", the tool, its arguments or None.
Call = tuple[str, str, Any]


@dataclass(frozen=True, slots=True)
class SpanAccount:
    """A span by itself.

    `outcome` is a word of `SPAN_OUTCOMES`, classified without a budget ("slow" needs one: `outcomes.with_budget`).
    `arguments` and `result` are None where none were reported; a value that was JSON in a text is parsed. `rules` says which
    rule of the table gave each field: field name to rule name ("why mapped so"). `attributes` is what no field took, plus
    model use under `model`; values that were taken are not in it, nor what only repeats a field.

    A notice that a span began (Logfire's pending spans) is the account of that span: under its id, with its real parent, not
    ended, `running`. As with any span told twice, the one that has ended wins.

    `calls` are the tool calls that a model span asked for, or that a gate holds back, for tools that don't tell these
    themselves. `answers` are results of tool calls by call id that this span happens to carry: what a LogAccount with
    that `call_id` and `span={"result": …}` would say. `bare_arguments`: the source told only the first value without its name.
    """

    trace_id: str
    span_id: str
    parent_id: str
    started_at: datetime
    ended_at: datetime | None
    role: Role
    name: str
    agent: str = ""
    agent_run_id: str = ""
    phase: str = ""
    outcome: str = "unreported"
    message: str = ""
    arguments: Any = None
    result: Any = None
    call_id: str = ""
    calls: tuple[Call, ...] = ()
    answers: tuple[tuple[str, Any], ...] = ()
    bare_arguments: bool = False
    model: ModelUse | None = None
    run: RunFacts = field(default_factory=RunFacts)
    rules: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogAccount:
    """A log record: an event of its trace's run, and where `span` is set, what it adds to the tool call with that `call_id` or `span_id`.

    `span` holds columns of the span's row (`arguments`, `result`, `outcome`, `message` …), to fill what the span does not tell
    itself; outcomes meet by `outcomes.merged`. A record without a trace belongs to a run by its session and request ID, else to none.
    """

    trace_id: str
    span_id: str
    at: datetime
    token: str
    level: str
    message: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    call_id: str = ""
    tool: str = ""
    span: Mapping[str, Any] = field(default_factory=dict)
    run: RunFacts = field(default_factory=RunFacts)


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """What relating needs of a span: as told by its source (`parent_id`, `role`, `outcome`), never as related before.

    `has_usage`: a model call that told its input tokens. `error` is the message of a failure or a digest of it, the same on
    each span through which the failure went up. `trace` keeps the traces of one run apart.
    """

    span_id: str
    parent_id: str
    role: Role
    name: str
    agent: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    call_id: str = ""
    has_arguments: bool = False  # and not bare
    has_result: bool = False
    has_usage: bool = False  # a model call that told its tokens
    calls: tuple[Call, ...] = ()
    error: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Placing:
    """What a span's neighbours make of it: its kind as shown, and what it takes from them.

    `one_with` is the span that stands for the whole call, where this one is a part of it: then it is shown as a step.
    `taken_from` names the spans whose message and result it takes, by column; `arguments` are those of the model's call,
    where the tool told none. `error_from` names the span below that failed first with this span's error: its stack trace is the
    whole one, this span's own need not be kept. `is_top`: an agent or workflow that no other holds: what the run is named after,
    and whose failure is the run's. `rules` adds to the account's.
    """

    kind: str
    outcome: str
    one_with: str = ""
    call_id: str = ""
    arguments: Any = None
    taken_from: Mapping[str, str] = field(default_factory=dict)
    error_from: str = ""
    is_top: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
