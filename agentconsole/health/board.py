"""What is known of each component right now. Reading it costs nothing and can't hang; the watch keeps it fresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.utils import timezone

from agentconsole.health.components import COMPONENTS, Component, Proof
from agentconsole.lifecycle import is_draining


class ComponentReport(TypedDict):
    """One component, as the probe tells it. `status`: ok, stale (proof older than its lease) or failing (not proven)."""

    status: str
    critical: bool
    checked_at: str | None
    age_s: float | None
    lease_s: int
    detail: str


class HealthReport(TypedDict):
    """The answer of `/health/ready`: `ready`, `not_ready` or `draining`, and why."""

    status: str
    components: dict[str, ComponentReport]


@dataclass(slots=True)
class Known:
    """The last proof of a component, and what went wrong since."""

    proof: Proof | None = None
    failure: str = ""


class Board:
    """The latest proof of each component."""

    def __init__(self, components: Sequence[Component] = COMPONENTS) -> None:
        self.components = components
        self._known = {component.name: Known() for component in components}

    def prove(self, name: str, proof: Proof) -> None:
        """The component worked."""
        self._known[name] = Known(proof)

    def fail(self, name: str, failure: str) -> None:
        """The component's check failed; the last proof stays to be seen."""
        self._known[name].failure = failure

    def proven_at(self, name: str) -> datetime | None:
        """When the component last worked, as far as this process knows."""
        proof = self._known[name].proof
        return proof.at if proof else None

    def report(self, now: datetime | None = None) -> HealthReport:
        """Every component at `now`. Proof older than its lease counts as failure, whatever the checks do meanwhile."""
        now = now or timezone.now()
        components = {component.name: self._component(component, now) for component in self.components}
        proven = all(part["status"] == "ok" for part in components.values() if part["critical"])
        status = "draining" if is_draining() else "ready" if proven else "not_ready"
        return {"status": status, "components": components}

    def _component(self, component: Component, now: datetime) -> ComponentReport:
        known = self._known[component.name]
        age_s = (now - known.proof.at).total_seconds() if known.proof else None
        stale = age_s is None or age_s > component.lease_s
        return {
            "status": "failing" if known.failure or age_s is None else "stale" if stale else "ok",
            "critical": component.is_critical,
            "checked_at": known.proof.at.isoformat().replace("+00:00", "Z") if known.proof else None,
            "age_s": round(age_s, 1) if age_s is not None else None,
            "lease_s": component.lease_s,
            "detail": known.failure or (known.proof.detail if known.proof else "not checked yet"),
        }


board = Board()
