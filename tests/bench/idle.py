"""What the embedded console costs while nobody uses it: under 3 % of a core, and under 350 MB for all its processes together.

Memory is the sum of the processes' PSS: what the machine has less because of them. The sum of RSS, which counts shared pages
once for each, is printed beside it. CPU is user and system time. First with the bundled agent as `make run` has it, over a whole
round of its schedule: its run counts. Then without it: what a console at rest costs by itself.
python -m tests.bench.idle [seconds without the agent]
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.resources import Taken, names_of, taken_by
from tests.processes.running import RunningConsole, wait_for

CORE_PERCENT = 3.0
MEMORY_MB = 350
# Imports, first connections, the agent's first run.
SETTLED_S = 45
ROUND_S = 300


def main(alone_s: float) -> None:
    """Measure both, print, and fail above the limits."""
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    whole = measured("with the doctor's schedule", ROUND_S, DOCTOR_ENABLED="on", DOCTOR_EVERY_S=str(ROUND_S))
    alone = measured("without the doctor", alone_s, DOCTOR_ENABLED="off")
    if max(whole[0], alone[0]) > CORE_PERCENT or max(whole[1], alone[1]) > MEMORY_MB:
        raise SystemExit(f"above {CORE_PERCENT} % of a core or {MEMORY_MB} MB at rest")


def measured(title: str, seconds: float, **variables: str) -> tuple[float, float]:
    """Percent of a core over so many seconds, and megabytes at their end, of a console of its own."""
    with tempfile.TemporaryDirectory() as folder:
        running = RunningConsole(Path(folder), **variables)
        try:
            running.start()
            wait_for("the console is ready", running.is_ready, within_s=60)
            time.sleep(SETTLED_S)
            return at_rest(title, running, seconds)
        finally:
            running.stop()
            running.end()


def at_rest(title: str, running: RunningConsole, seconds: float) -> tuple[float, float]:
    """Percent of a core and megabytes of PSS, printed with each process's part."""
    assert running.process is not None
    pids = sorted({running.process.pid} | running.descendants())
    before = {pid: taken_by([pid]) for pid in pids}
    began = time.monotonic()
    time.sleep(seconds)
    after = {pid: taken_by([pid]) for pid in pids}
    took_s = time.monotonic() - began
    print(f"\n{title}, {took_s:.0f} s at rest:")
    for pid, name in names_of(pids).items():
        print(_line(name, before[pid], after[pid], took_s))
    total = taken_by(pids)
    cpu_s = sum(after[pid].cpu_s - before[pid].cpu_s for pid in pids)
    print(_line("all", Taken(total.cpu_s - cpu_s, 0, 0, 0), total, took_s))
    return cpu_s / took_s * 100, total.pss_mb


def _line(name: str, before: Taken, after: Taken, took_s: float) -> str:
    percent = (after.cpu_s - before.cpu_s) / took_s * 100
    return (
        f"  {name:<16} {percent:5.2f} % of a core  PSS {after.pss_mb:4.0f} MB  RSS {after.rss_mb:4.0f} MB"
        f"  {after.files} files"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 120)
