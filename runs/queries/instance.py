"""How an instance stands, as its own programs read it."""

from datetime import datetime

from typing_extensions import TypedDict

from runs.models import AgentInstance
from runs.queries.shapes import iso_or_none
from runs.vitals import Part, standing_of


class ComponentShape(TypedDict):
    """A component: `status` is ok, stale (proof older than its lease) or failing (not proven)."""

    name: str
    status: str
    critical: bool
    proven_at: str | None
    age_s: float | None
    lease_s: float
    since: str | None
    detail: str


class MissingToolShape(TypedDict):
    """A tool that the instance expected and does not have."""

    name: str
    reason: str


class InstanceShape(TypedDict):
    """An instance as the console sees it. `ready`: it lives, and each of its critical components is proven."""

    agent: str
    instance: str
    environment: str
    state: str
    ready: bool
    since: str | None
    beat_at: str | None
    started_at: str | None
    missing_tools: list[MissingToolShape]
    components: list[ComponentShape]


def instance_shape(instance: AgentInstance, now: datetime) -> InstanceShape:
    """The shape of an instance whose agent is loaded. One query at most."""
    standing, beat = standing_of(instance, now), instance.last_beat
    return {
        "agent": instance.agent.name,
        "instance": instance.name,
        "environment": instance.agent.environment_id,
        "state": standing.word,
        "ready": standing.word in ("ready", "idle", "degraded") and beat is not None,
        "since": iso_or_none(standing.since),
        "beat_at": iso_or_none(beat.beat_at if beat else None),
        "started_at": iso_or_none(instance.started_at),
        "missing_tools": [
            {"name": tool.get("name", ""), "reason": tool.get("reason", "")} for tool in instance.missing_tools
        ],
        "components": [_component(part) for part in standing.parts],
    }


def _component(part: Part) -> ComponentShape:
    judged = part.judged
    return {
        "name": part.name,
        "status": judged.status,
        "critical": part.is_critical,
        "proven_at": iso_or_none(part.proven_at),
        "age_s": None if judged.age_s is None else round(judged.age_s, 1),
        "lease_s": part.lease_s,
        "since": iso_or_none(judged.since),
        "detail": judged.detail,
    }
