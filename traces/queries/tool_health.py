"""How each agent's tools do: calls, how they ended, how long they took against their budgets. Counted among the newest COUNTED calls of the window."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from agentconsole.errors import BadRequestError, NotFoundError
from agentconsole.protocol.envelope import Outcome, SpanState
from runs.models import Agent, AgentInstance, TraceEvent
from runs.queries.run_filter import RANGES
from traces.models import LogText
from traces.queries.events import DEFAULT_RANGE

COUNTED = 20_000
_CIRCUITS = 500
_UNDER_WAY = frozenset({SpanState.RUNNING.value, SpanState.WAITING.value})
_ANSWERED = frozenset(one.value for one in Outcome if one.has_data)
_FAILED = frozenset({Outcome.TIMEOUT.value, Outcome.AUTH_FAILED.value, Outcome.DEGRADED.value, Outcome.ERROR.value})


@dataclass(frozen=True, slots=True)
class HealthFilter:
    """What the table is narrowed to."""

    environment: str
    environments: tuple[str, ...]
    range: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A call, by where it stands."""

    at: datetime
    outcome: str
    run_id: UUID
    span_id: str


@dataclass(slots=True)
class ToolHealth:
    """A tool of an agent. Without calls it has no data, which is no good news either."""

    tool: str
    agent: str
    environment: str
    outcomes: Counter[str] = field(default_factory=Counter)
    took_ms: list[int] = field(default_factory=list)
    soft_ms: int | None = None
    hard_ms: int | None = None
    last_failure: Call | None = None
    answered_at: datetime | None = None
    circuit_open_since: datetime | None = None

    @property
    def calls(self) -> int:
        """How many ended or are under way."""
        return self.outcomes.total()

    @property
    def shares(self) -> list[tuple[str, int]]:
        """Calls by outcome, most first."""
        return sorted(self.outcomes.items(), key=lambda one: (-one[1], one[0]))

    @property
    def p50_ms(self) -> int | None:
        """Half of the calls took no longer."""
        return _percentile(self.took_ms, 50)

    @property
    def p95_ms(self) -> int | None:
        """Of twenty calls nineteen took no longer."""
        return _percentile(self.took_ms, 95)

    @property
    def is_over_soft(self) -> bool:
        """Whether more than one in twenty is slower than the soft budget."""
        return self.soft_ms is not None and (self.p95_ms or 0) > self.soft_ms


@dataclass(frozen=True, slots=True)
class ToolTable:
    """The tools, those with failures first. `is_cut`: there were more calls than were counted, and `since` is where counting stopped."""

    tools: Sequence[ToolHealth]
    since: datetime
    is_cut: bool


def health_filter_of(params: Mapping[str, str], visible: Sequence[str], now: datetime) -> HealthFilter:
    """The filter that a URL's query asks for. BadRequestError, NotFoundError."""
    chosen = params.get("range", "").strip() or DEFAULT_RANGE
    if chosen not in RANGES:
        raise BadRequestError(f"range={chosen[:40]} is none of: {', '.join(RANGES)}.")
    environment = params.get("environment", "").strip()
    if environment and environment not in visible:
        raise NotFoundError(f"There is no environment {environment}, or you can't see it.")
    environments = (environment,) if environment else tuple(visible)
    return HealthFilter(environment, environments, chosen, now - RANGES[chosen])


def tool_table(chosen: HealthFilter) -> ToolTable:
    """The tools that were called in the window, and those that their agents loaded. Four queries, of bounded work."""
    agents = {agent.id: agent for agent in Agent.objects.filter(environment__in=chosen.environments)}
    tools: dict[tuple[int, str], ToolHealth] = {}
    calls = list(_calls(chosen))
    for agent_id, name, outcome, elapsed_ms, soft_ms, hard_ms, at, run_id, span_id in calls:
        if agent_id in agents:
            one = _tool(tools, agents[agent_id], name)
            _count(one, Call(at, outcome, run_id, span_id), elapsed_ms)
            one.soft_ms, one.hard_ms = one.soft_ms or soft_ms, one.hard_ms or hard_ms
    for agent_id, name in _loaded(agents):
        _tool(tools, agents[agent_id], name)
    _mark_circuits(tools, chosen, agents)
    is_cut = len(calls) == COUNTED
    since = calls[-1][6] if is_cut else chosen.since
    return ToolTable(sorted(tools.values(), key=_gravest_first), since, is_cut)


def _calls(chosen: HealthFilter) -> Iterable[tuple[Any, ...]]:
    found = LogText.objects.filter(kind="tool", environment__in=chosen.environments, at__gte=chosen.since)
    columns = ("agent_id", "name", "outcome", "elapsed_ms", "soft_ms", "hard_ms", "at", "run_id", "row_id")
    return found.order_by("-at").values_list(*columns)[:COUNTED]


def _tool(tools: dict[tuple[int, str], ToolHealth], agent: Agent, name: str) -> ToolHealth:
    return tools.setdefault((agent.id, name), ToolHealth(name, agent.name, agent.environment_id))


def _count(tool: ToolHealth, call: Call, elapsed_ms: int | None) -> None:
    tool.outcomes[call.outcome] += 1
    if elapsed_ms is not None and call.outcome not in _UNDER_WAY:
        tool.took_ms.append(elapsed_ms)
    if call.outcome in _ANSWERED:
        tool.answered_at = tool.answered_at or call.at
    if call.outcome in _FAILED:
        tool.last_failure = tool.last_failure or call


def _loaded(agents: Mapping[int, Agent]) -> Iterable[tuple[int, str]]:
    told = AgentInstance.objects.filter(agent__in=agents, revoked_at=None, startup__isnull=False)
    for agent_id, startup in told.values_list("agent_id", "startup")[:_CIRCUITS]:
        for name in startup.get("loaded", ()):
            yield agent_id, name


def _mark_circuits(
    tools: Mapping[tuple[int, str], ToolHealth], chosen: HealthFilter, agents: Mapping[int, Agent]
) -> None:
    """A circuit is open if the last that was said of it is that it opened, and no call has been answered since: a process that ends
    takes its circuits along and says nothing."""
    said = TraceEvent.objects.filter(
        token__in=("CIRCUIT_OPENED", "CIRCUIT_CLOSED"), at__gte=chosen.since, run__agent__in=agents
    )
    last: dict[tuple[int, str], tuple[str, datetime]] = defaultdict()
    for agent_id, fields, token, at in said.order_by("-at").values_list("run__agent_id", "fields", "token", "at")[
        :_CIRCUITS
    ]:
        last.setdefault((agent_id, str(fields.get("tool", ""))), (token, at))
    for key, (token, at) in last.items():
        tool = tools.get(key)
        if tool and token == "CIRCUIT_OPENED" and not (tool.answered_at and tool.answered_at > at):  # noqa: S105  a token
            tool.circuit_open_since = at


def _gravest_first(tool: ToolHealth) -> tuple[Any, ...]:
    failed = sum(tool.outcomes[outcome] for outcome in _FAILED)
    return (tool.circuit_open_since is None, -failed / (tool.calls or 1), not tool.calls, tool.agent, tool.tool)


def _percentile(took_ms: list[int], percent: int) -> int | None:
    if not took_ms:
        return None
    ordered = sorted(took_ms)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
