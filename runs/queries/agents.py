"""Agents and their instances as the pages show them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Prefetch, Q, Subquery

from agentconsole.errors import NotFoundError
from runs.models import Agent, AgentInstance, RefusedItems, Run
from runs.vitals import Standing, standing_of

AGENTS_A_PAGE = 100
RUNS_SHOWN = 20
RUNS_WEIGHED = 200
# An instance that has been gone for longer is no news: what nobody revoked would nag for ever.
GONE_IS_NEWS_FOR = timedelta(days=1)
# Of an agent with several instances, the first of these that any of them is in.
STATES = ("not_ready", "degraded", "ready", "idle", "seen", "gone", "stopped")
REFUSED_DAYS = timedelta(days=7)
REFUSED_SHOWN = 50
EXPIRES_SOON = timedelta(days=14)
RUN_COLUMNS = (
    "request_id", "status", "started_at", "ended_at", "last_seen_at", "heartbeat_s", "lease_s", "tools",
    "lacked",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance, how it stands, whether its credential expires soon, and whether it is news that it is gone."""

    instance: AgentInstance
    standing: Standing
    is_expiring: bool
    is_gone_of_late: bool

    @property
    def state(self) -> str:
        """The word of its standing."""
        return self.standing.word

    @property
    def seen_at(self) -> datetime | None:
        """When it last gave a sign of life. The use of a credential is noted once a minute; a beat is exact."""
        beat = self.instance.last_beat
        return max((at for at in (self.instance.last_used_at, beat and beat.beat_at) if at), default=None)

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
        """The loudest word of its instances; unseen if none has any."""
        states = {row.state for row in self.instances}
        return next((state for state in STATES if state in states), "unseen")

    @property
    def troubled(self) -> list[InstanceRow]:
        """The instances that lack something, or are gone of late, the loudest first."""
        found = [row for row in self.instances if row.standing.is_degraded or row.is_gone_of_late]
        return sorted(found, key=lambda row: STATES.index(row.state))

    @property
    def live_instances(self) -> list[InstanceRow]:
        """Those whose credential still opens something."""
        return [row for row in self.instances if row.is_live]

    @property
    def last_used_at(self) -> datetime | None:
        """When any of its instances last gave a sign of life: a beat, or a use of its credential."""
        return max((row.seen_at for row in self.instances if row.seen_at), default=None)


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
    refused: Sequence[RefusedItems] = ()

    @property
    def calls(self) -> int:
        """How many calls the outcomes count."""
        return sum(count for _outcome, count in self.outcomes)


def instance_row(instance: AgentInstance, now: datetime) -> InstanceRow:
    """An instance as it is at `now`. No query where its beat was selected with it."""
    expires_at = instance.expires_at
    is_expiring = expires_at is not None and now < expires_at < now + EXPIRES_SOON
    standing = standing_of(instance, now)
    is_news = standing.word == "gone" and standing.since is not None and now - standing.since < GONE_IS_NEWS_FOR
    return InstanceRow(instance, standing, is_expiring, is_news)


def agent_page(environments: Sequence[str], now: datetime, after: str = "") -> AgentPage:
    """Agents with their live instances and last runs. Three queries."""
    last_run = Run.objects.filter(agent=OuterRef("pk")).order_by("-started_at", "-id").values("id")[:1]
    live = Prefetch("instances", AgentInstance.objects.filter(revoked_at=None).select_related("beat").order_by("name"))
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
    NotFoundError. Four queries."""
    agent = Agent.objects.filter(environment=environment, name=name).first()
    if agent is None or environment not in environments:
        raise NotFoundError("There is no such agent, or it is in an environment that you can't see.")
    instances = list(agent.instances.select_related("beat").order_by("-created_at")[:AGENTS_A_PAGE])
    runs = list(Run.objects.filter(agent=agent).only(*RUN_COLUMNS).order_by("-started_at", "-id")[:RUNS_WEIGHED])
    statuses, outcomes = Counter(run.status for run in runs), Counter[str]()
    for run in runs:
        outcomes.update(run.tools)
    row = _row(agent, instances, now, runs[0] if runs else None)
    return AgentStory(
        row, runs[:RUNS_SHOWN], len(runs), statuses.most_common(), outcomes.most_common(), _refused(instances, now)
    )


def agent_names(environments: Sequence[str]) -> list[str]:
    """The names of agents, each once, for a filter's suggestions. One query."""
    names = Agent.objects.filter(environment__in=environments).order_by("name").values_list("name", flat=True)
    return list(names.distinct()[:AGENTS_A_PAGE])


def _refused(instances: Sequence[AgentInstance], now: datetime) -> list[RefusedItems]:
    """What was refused of the last REFUSED_DAYS, newest first."""
    found = RefusedItems.objects.filter(instance__in=instances, day__gt=(now - REFUSED_DAYS).date())
    return list(found.select_related("instance").order_by("-last_at")[:REFUSED_SHOWN])


def _row(agent: Agent, instances: Sequence[AgentInstance], now: datetime, last_run: Run | None) -> AgentRow:
    return AgentRow(agent, [instance_row(instance, now) for instance in instances], last_run)
