"""What processes take: CPU seconds, memory and open files, as the kernel counts them (Linux)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KB_PER_MB = 1024
# The console's commands, by the word of a command line that tells them.
COMMANDS = {"agentconsole.management.supervising": "supervisor", "serve": "web", "worker": "worker", "beat": "beat"}


@dataclass(frozen=True, slots=True)
class Taken:
    """What processes hold, and the CPU seconds that they have had.

    `pss_mb` divides a page by the processes that share it, so that a sum is what the machine has less; `rss_mb` counts it in
    each of them, so that a sum is more than that.
    """

    cpu_s: float
    pss_mb: float
    rss_mb: float
    files: int


def taken_by(pids: Iterable[int]) -> Taken:
    """Of all these processes together. FileNotFoundError or ProcessLookupError if one has ended."""
    each = [_taken_by_one(pid) for pid in pids]
    return Taken(
        sum(one.cpu_s for one in each),
        sum(one.pss_mb for one in each),
        sum(one.rss_mb for one in each),
        sum(one.files for one in each),
    )


def _taken_by_one(pid: int) -> Taken:
    process = Path(f"/proc/{pid}")
    stat = (process / "stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    rolled_up = dict(
        line.split(":", 1) for line in (process / "smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    )
    pss_kb, rss_kb = (int(rolled_up[name].split()[0]) for name in ("Pss", "Rss"))
    # Fields 14 and 15 of proc(5), counted from the state, which is the third.
    cpu_s = (int(stat[11]) + int(stat[12])) / TICKS_PER_S
    return Taken(cpu_s, pss_kb / KB_PER_MB, rss_kb / KB_PER_MB, len(list((process / "fd").iterdir())))


def names_of(pids: Iterable[int]) -> dict[int, str]:
    """A name for each of a console's processes; a second one with the same command line is the first one's fork."""
    names: dict[int, str] = {}
    for pid in sorted(pids):
        words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        name = next((COMMANDS[word] for word in words if word in COMMANDS), words[0])
        names[pid] = f"{name}'s fork" if name in names.values() else name
    return names
