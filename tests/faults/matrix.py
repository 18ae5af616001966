"""Which part is broken in which way, and what must come of it. Where a pairing has no cell, REASONS says why."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from agentconsole.health.components import COMPONENTS
from agentconsole.health.watch import EVERY_S

LEASES = {component.name: component.lease_s for component in COMPONENTS}
# A web process that is gone can't say so; whoever sends requests there notices at once.
GONE_WITHIN_S = 5
ENDINGS = ("kill -9", "SIGTERM")
Names = frozenset[str]


class Turns(Enum):
    """Which web processes turn not ready."""

    ALL = "all"
    OWN = "the one that is broken"
    NONE = "none"
    # What heals before its lease is over need not be seen.
    MAY = "any, or none"


@dataclass(frozen=True, slots=True)
class Cell:
    """One part broken in one way. At least one of `names` is named, within the longest of their leases and a check more."""

    shape: str
    part: str
    fault: str
    names: Names
    turns: Turns

    @property
    def title(self) -> str:
        """As in the table."""
        return f"{self.fault}, {self.part}"

    @property
    def within_s(self) -> int:
        """How long it may take until the console says so."""
        return max((LEASES[name] + EVERY_S for name in self.names if name in LEASES), default=GONE_WITHIN_S)

    @property
    def is_live(self) -> bool:
        """Whether the event loop of every web process goes on turning."""
        return self.part != "web" or self.fault not in (*ENDINGS, "SIGSTOP")

    @property
    def heals_itself(self) -> bool:
        """Whether nobody has to repair it: the supervisor starts it again."""
        return self.shape == "embedded" and self.fault in ENDINGS

    @property
    def is_short(self) -> bool:
        """Whether the tests try it too."""
        return (self.shape, self.title) in SHORT


_GONE: Names = frozenset({"no answer", "draining"})
_UNMOVED: Names = frozenset()
_PROCESSES: Mapping[str, Names] = {name: frozenset({name}) for name in ("worker", "beat")}
_SERVERS: Mapping[str, Names] = {
    "PostgreSQL": frozenset({"database"}),
    "Redis": frozenset({"channel_layer"}),
    "broker": frozenset({"broker"}),
}
_EVERY: Mapping[str, Names] = {"web": _GONE, **_PROCESSES, **_SERVERS}
_CLOCKS: Mapping[str, Names] = {
    # Its own clock is wrong: everybody else's evidence looks old to it, or as if it came from the future.
    "web": frozenset({"worker", "beat"}),
    **_PROCESSES,
    **dict.fromkeys(_SERVERS, _UNMOVED),
}
DEPLOYMENT: Mapping[str, Mapping[str, Names]] = {
    "kill -9": _EVERY,
    "SIGSTOP": _EVERY,
    "SIGTERM": _EVERY,
    "network cut": {**_EVERY, "web": frozenset({"database", "channel_layer", "broker"})},
    "disk full": {"web": frozenset({"disk"}), **dict.fromkeys(_PROCESSES, _UNMOVED), **_SERVERS},
    "disk slow": {"PostgreSQL": _SERVERS["PostgreSQL"]},
    "link slow": _SERVERS,
    "clock +120 s": _CLOCKS,
    "clock -120 s": _CLOCKS,
    "wrong password": _SERVERS,
    "read-only": _SERVERS,
}
_WHOLE = "machine"
ONE_MACHINE: Mapping[str, Mapping[str, Names]] = {
    "kill -9": {"web": _GONE, **_PROCESSES},
    "SIGSTOP": {"web": _GONE, **_PROCESSES},
    "SIGTERM": {"web": _GONE, **_PROCESSES},
    "disk full": {_WHOLE: frozenset({"disk", "database"})},
    "disk slow": {_WHOLE: frozenset({"database"})},
    "clock +120 s": {_WHOLE: frozenset({"worker", "beat"})},
    "clock -120 s": {_WHOLE: frozenset({"worker", "beat"})},
    "read-only": {_WHOLE: frozenset({"database"})},
}
SHORT = {
    ("distributed", "kill -9, worker"),
    ("distributed", "network cut, Redis"),
    ("distributed", "network cut, PostgreSQL"),
    ("distributed", "SIGTERM, web"),
    ("embedded", "SIGSTOP, worker"),
    ("embedded", "kill -9, web"),
    ("embedded", "disk full, machine"),
}
REASONS = (
    (
        "disk slow: Redis, broker",
        "a fork writes their snapshots, and nobody waits for it; `link slow` stands for a slow server",
    ),
    (
        "disk slow, link slow: web, worker, beat",
        "in a deployment they wait for no disk of their own; a slow link is a server's",
    ),
    ("wrong password, read-only: web, worker, beat", "the servers refuse, all processes at once"),
    ("network cut, link slow, wrong password: one machine", "nothing there goes over a network or has a password"),
    ("PostgreSQL, Redis, broker: one machine", "files and memory stand for them: `machine`"),
)


def cells(shape: str) -> list[Cell]:
    """The matrix of a shape."""
    table = ONE_MACHINE if shape == "embedded" else DEPLOYMENT
    return [
        Cell(shape, part, fault, names, _turns(shape, part, fault, names))
        for fault, parts in table.items()
        for part, names in parts.items()
    ]


def _turns(shape: str, part: str, fault: str, names: Names) -> Turns:
    if not names:
        return Turns.NONE
    if shape == "embedded":
        return Turns.MAY if fault in ENDINGS or fault.startswith("clock") else Turns.ALL
    return Turns.OWN if part == "web" else Turns.ALL
