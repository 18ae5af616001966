"""Agents and their instances as the pages show them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Prefetch, Q, Subquery

from agentconsole.errors import NotFoundError
from runs.models import Agent, AgentInstance, Run

AGENTS_A_PAGE = 100
RUNS_SHOWN = 20
RUNS_WEIGHED = 200
GONE_AFTER = timedelta(days=1)
EXPIRES_SOON = timedelta(days=14)
RUN_COLUMNS = ("request_id", "status", "started_at", "ended_at", "last_seen_at", "heartbeat_s", "lease_s", "tools")


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance, and the word for its state: revoked, expired, unseen, gone, degraded or ready."""

    instance: AgentInstance
    state: str
    is_expiring: bool

    @property
    def is_live(self) -> bool:
        """Whether its credential still opens something."""
        return self.state not in ("revoked", "expired")


@dataclass(slots=True)
class AgentRow:
    """An agent, its instances and its last run."""

    agent: Agent
    instances: list[InstanceRow]
    last_run: Run | None = None

    @property
    def state(self) -> str:
        """degraded if any live instance is, else ready if any is, else gone if any was seen, else unseen."""
        states = {row.state for row in self.instances}
        return next((state for state in ("degraded", "ready", "gone") if state in states), "unseen")

    @property
    def degraded(self) -> list[InstanceRow]:
        """The instances that lack something."""
        return [row for row in self.instances if row.state == "degraded"]

    @property
    def live_instances(self) -> list[InstanceRow]:
        """Those whose credential still opens something."""
        return [row for row in self.instances if row.is_live]

    @property
    def last_used_at(self) -> datetime | None:
        """When any of its credentials was last used."""
        return max((row.instance.last_used_at for row in self.instances if row.instance.last_used_at), default=None)


@dataclass(frozen=True, slots=True)
class AgentPage:
    """Agents by environment and name; `next_after` is the key to go on from."""

    rows: Sequence[AgentRow]
    next_after: str = ""


@dataclass(frozen=True, slots=True)
class AgentStory:
    """One agent with its last runs."""

    row: AgentRow
    runs: Sequence[Run]
    weighed: int
    statuses: list[tuple[str, int]]
    outcomes: list[tuple[str, int]]

    @property
    def calls(self) -> int:
        """How many calls the outcomes count."""
        return sum(count for _outcome, count in self.outcomes)


def instance_row(instance: AgentInstance, now: datetime) -> InstanceRow:
    """The state of an instance at `now`. Gone: it told nothing for GONE_AFTER."""
    expires_at = instance.expires_at
    is_expiring = expires_at is not None and now < expires_at < now + EXPIRES_SOON
    return InstanceRow(instance, _state(instance, now), is_expiring)


def _state(instance: AgentInstance, now: datetime) -> str:
    if instance.revoked_at is not None:
        return "revoked"
    if not instance.is_usable(now):
        return "expired"
    if instance.last_used_at is None:
        return "unseen"
    if now - instance.last_used_at > GONE_AFTER:
        return "gone"
    return "degraded" if instance.missing_tools else "ready"


def agent_page(environments: Sequence[str], now: datetime, after: str = "") -> AgentPage:
    """Agents with their live instances and last runs. Three queries."""
    last_run = Run.objects.filter(agent=OuterRef("pk")).order_by("-started_at", "-id").values("id")[:1]
    live = Prefetch("instances", AgentInstance.objects.filter(revoked_at=None).order_by("name"))
    found = Agent.objects.filter(environment__in=environments).annotate(last_run_id=Subquery(last_run))
    environment, _, name = after.partition("/")
    if after:
        found = found.filter(environment__gte=environment).filter(Q(environment__gt=environment) | Q(name__gt=name))
    agents = list(found.prefetch_related(live).order_by("environment", "name")[: AGENTS_A_PAGE + 1])
    shown = agents[:AGENTS_A_PAGE]
    runs = Run.objects.only(*RUN_COLUMNS).in_bulk([agent.last_run_id for agent in shown if agent.last_run_id])
    rows = [_row(agent, list(agent.instances.all()), now, runs.get(agent.last_run_id)) for agent in shown]
    last = f"{shown[-1].environment_id}/{shown[-1].name}" if len(agents) > AGENTS_A_PAGE else ""
    return AgentPage(rows, last)


def agent_story(environment: str, name: str, environments: Sequence[str], now: datetime) -> AgentStory:
    """An agent with all its instances, its last runs, and how its last RUNS_WEIGHED runs and their calls went.
    NotFoundError. Three queries."""
    agent = Agent.objects.filter(environment=environment, name=name).first()
    if agent is None or environment not in environments:
        raise NotFoundError("There is no such agent, or it is in an environment that you can't see.")
    instances = list(agent.instances.order_by("-created_at")[:AGENTS_A_PAGE])
    runs = list(Run.objects.filter(agent=agent).only(*RUN_COLUMNS).order_by("-started_at", "-id")[:RUNS_WEIGHED])
    statuses, outcomes = Counter(run.status for run in runs), Counter[str]()
    for run in runs:
        outcomes.update(run.tools)
    row = _row(agent, instances, now, runs[0] if runs else None)
    return AgentStory(row, runs[:RUNS_SHOWN], len(runs), statuses.most_common(), outcomes.most_common())


def agent_names(environments: Sequence[str]) -> list[str]:
    """The names of agents, each once, for a filter's suggestions. One query."""
    names = Agent.objects.filter(environment__in=environments).order_by("name").values_list("name", flat=True)
    return list(names.distinct()[:AGENTS_A_PAGE])


def _row(agent: Agent, instances: Sequence[AgentInstance], now: datetime, last_run: Run | None) -> AgentRow:
    return AgentRow(agent, [instance_row(instance, now) for instance in instances], last_run)
