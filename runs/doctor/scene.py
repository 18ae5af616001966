"""What the doctor's sub-agents look at."""

from dataclasses import dataclass
from pathlib import Path

from runs.doctor.tools.probes import Web


@dataclass(frozen=True, slots=True)
class Scene:
    """The console under examination, and who examines it.

    `environment` is its own, `environments` are those that everybody who sees the doctor's run may look into: its own and the open ones.
    `logs` is None where the console keeps no log files.
    """

    agent: str
    environment: str
    run_id: str
    environments: list[str]
    folder: Path
    logs: Path | None
    web: Web

    @property
    def host(self) -> str:
        """The machine that agents reach the console on."""
        return self.web.client.base_url.host
