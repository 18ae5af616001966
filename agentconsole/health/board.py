"""What is known of each component right now. Reading it costs nothing and can't hang; the watch keeps it fresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.utils import timezone

from agentconsole.health.components import COMPONENTS
from agentconsole.health.proof import Component, Proof
from agentconsole.lifecycle import is_draining
from agentconsole.protocol.proof import Evidence, judge


class ComponentReport(TypedDict):
    """One component, as the probe tells it. `status`: ok, stale (proof older than its lease) or failing (not proven)."""

    status: str
    critical: bool
    checked_at: str | None
    age_s: float | None
    lease_s: int
    since: str | None
    detail: str


class HealthReport(TypedDict):
    """The answer of `/health/ready`: `ready`, `not_ready` or `draining`, and why."""

    status: str
    components: dict[str, ComponentReport]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a check found wrong, and when it did last."""

    at: datetime
    words: str


@dataclass(slots=True)
class Known:
    """The last proof of a component, what went wrong since and from when on, and its last fault, which outlives a repair."""

    proof: Proof | None = None
    failure: str = ""
    failing_since: datetime | None = None
    last_fault: Fault | None = None


class Board:
    """The latest proof of each component."""

    def __init__(self, components: Sequence[Component] = COMPONENTS) -> None:
        self.components = components
        self._known = {component.name: Known() for component in components}

    def prove(self, name: str, proof: Proof) -> None:
        """The component worked. The first time that is the end of its start, and what was missing until then was no fault."""
        known = self._known[name]
        self._known[name] = Known(proof, last_fault=known.last_fault if known.proof else None)

    def fail(self, name: str, failure: str) -> None:
        """The component's check failed; the last proof stays to be seen."""
        known, now = self._known[name], timezone.now()
        known.failure = failure
        known.failing_since = known.failing_since or now
        known.last_fault = Fault(now, failure)

    def proven_at(self, name: str) -> datetime | None:
        """When the component last worked, as far as this process knows."""
        proof = self._known[name].proof
        return proof.at if proof else None

    def last_fault(self, name: str) -> Fault | None:
        """What this process last found wrong with a component, whether or not it is repaired."""
        return self._known[name].last_fault

    def report(self, now: datetime | None = None) -> HealthReport:
        """Every component at `now`. Proof older than its lease counts as failure, whatever the checks do meanwhile."""
        now = now or timezone.now()
        components = {component.name: self._component(component, now) for component in self.components}
        proven = all(part["status"] == "ok" for part in components.values() if part["critical"])
        status = "draining" if is_draining() else "ready" if proven else "not_ready"
        return {"status": status, "components": components}

    def _component(self, component: Component, now: datetime) -> ComponentReport:
        known = self._known[component.name]
        judged = judge(_evidence(known, component.lease_s), now)
        return {
            "status": judged.status,
            "critical": component.is_critical,
            "checked_at": told(known.proof.at) if known.proof else None,
            "age_s": round(judged.age_s, 1) if judged.age_s is not None else None,
            "lease_s": component.lease_s,
            "since": told(judged.since),
            "detail": judged.detail,
        }


def _evidence(known: Known, lease_s: int) -> Evidence:
    proven_at, detail = (known.proof.at, known.proof.detail) if known.proof else (None, "")
    return Evidence(proven_at, lease_s, detail, known.failure, known.failing_since)


def told(at: datetime | None) -> str | None:
    """A time as the probes tell it."""
    return at.isoformat().replace("+00:00", "Z") if at else None


board = Board()
