"""What was seen of each component, minute by minute, until somebody writes it down. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agentconsole.health.board import HealthReport

MINUTE = timedelta(minutes=1)
KEPT = timedelta(hours=25)
# The console as a whole, beside its components.
WHOLE = "console"
_WORSE = {"ok": 0, "stale": 1, "failing": 2}


@dataclass(slots=True)
class Minute:
    """The worst state of each component within a minute, and the words of what was wrong."""

    at: datetime
    samples: int = 0
    states: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Minute") -> None:
        """Join another account of the same minute: the worse state counts, and the later words."""
        self.samples += other.samples
        for name, state in other.states.items():
            self.states[name] = max(self.states.get(name, state), state, key=lambda word: _WORSE.get(word, 0))
        self.faults.update(other.faults)


def minute_of(at: datetime) -> datetime:
    """The minute that a time falls into."""
    return at.replace(second=0, microsecond=0)


def sample_of(report: HealthReport, at: datetime) -> Minute:
    """One look at the board."""
    parts = report["components"]
    states = {name: part["status"] for name, part in parts.items()}
    states[WHOLE] = "ok" if report["status"] == "ready" else "failing"
    faults = {name: part["detail"] for name, part in parts.items() if part["status"] == "failing"}
    return Minute(minute_of(at), 1, states, faults)


class Tally:
    """What is not written yet. A database that is away for long is made up for: nothing is lost while this process lives."""

    def __init__(self) -> None:
        self._minutes: dict[datetime, Minute] = {}

    def add(self, minute: Minute) -> None:
        """Count a look in, and let go of what nobody will look at any more."""
        self._minutes.setdefault(minute.at, Minute(minute.at)).add(minute)
        for at in [at for at in self._minutes if at < minute.at - KEPT]:
            del self._minutes[at]

    def take(self) -> list[Minute]:
        """Everything, to be written; whoever fails to write it adds it again."""
        taken, self._minutes = list(self._minutes.values()), {}
        return taken
