"""Ten minutes at 70 % of what the console's ingest can take: memory, open files, connections and latency stay flat.

The ceiling is measured first, in a short ramp, by the same clients beside the same load: sockets that watch, polls that wait, people
who decide. Distributed: two web processes, a worker and a beat, on PostgreSQL (DATABASE_URL, or one of its own) and a Redis of its own.
Prints a line a minute, then a verdict for each figure; fails if one is not flat, or if the console did not keep up.
python -m tests.bench.soak [--minutes 10] [--share 0.7] [--embedded]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.flatness import Limit, Verdict, judged
from tests.bench.soak_load import (
    Timings,
    as_fast_as_it_goes,
    decide_now_and_then,
    figures_of,
    look_on,
    quantile,
    steadily,
    wait_for_nobody,
)
from tests.bench.soak_places import Place, distributed, embedded

RAMP = (1, 2, 4)
RAMP_STEP_S = 10
SOCKETS = 24
POLLS = 24
SAMPLE_EVERY_S = 5
# Caches, pools and the database's own memory fill up in the first fifth.
WARM_UP_SHARE = 0.2
KEEPS_UP = 0.97
LIMITS = {
    "ingest p50 ms": Limit(0.3, 10),
    "ingest p95 ms": Limit(0.5, 25),
    "decision p50 ms": Limit(0.3, 25),
}
OF_SAMPLES = {"MB": Limit(0.10, 8), "files": Limit(0.10, 4), "connections": Limit(0.10, 2), "KB": Limit(0.20, 2048)}


async def soaked(place: Place, minutes: float, share: float) -> bool:
    """Ramp, soak, print; whether it stayed flat and kept up."""
    seen, samples = Timings(), list[tuple[float, dict[str, float]]]()
    beside = [
        asyncio.create_task(work)
        for work in (
            look_on(place.soaked, SOCKETS),
            wait_for_nobody(place.soaked, POLLS),
            decide_now_and_then(place.soaked, seen),
        )
    ]
    ceiling = max([await as_fast_as_it_goes(place.soaked, connections, RAMP_STEP_S) for connections in RAMP])
    rate = share * ceiling
    print(f"ceiling {ceiling:.0f} items/s beside {SOCKETS} sockets and {POLLS} polls; soaking at {rate:.0f} items/s\n")
    seen.ingest.clear()
    seen.decision.clear()
    began = time.monotonic()
    load = asyncio.create_task(steadily(place.soaked, rate, minutes * 60, seen))
    minute = 0
    while not load.done():
        await asyncio.wait({load, *beside}, timeout=SAMPLE_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        for task in beside:
            if task.done():
                task.result()
        samples.append((time.monotonic(), await asyncio.to_thread(place.sample)))
        if time.monotonic() - began >= 60 * (minute + 1):
            print_minute(minute, began, seen, samples[-1][1])
            minute += 1
    load.result()
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    kept_up = seen.items / (time.monotonic() - began) / rate
    print(f"\n{seen.items} items, {kept_up:.0%} of the rate; failed: {len(seen.failed)} {sorted(set(seen.failed))[:3]}")
    verdicts = list(verdicts_on(seen, samples, began, minutes * 60))
    print(*verdicts, sep="\n")
    return kept_up >= KEEPS_UP and not seen.failed and all(verdict.is_flat for verdict in verdicts)


def print_minute(minute: int, began: float, seen: Timings, sample: dict[str, float]) -> None:
    """What the minute was like."""
    since, until = began + 60 * minute, began + 60 * (minute + 1)
    ingest, decision = (figures_of(points, since, until) for points in (seen.ingest, seen.decision))
    parts = "  ".join(f"{name} {figure:.0f}" for name, figure in sample.items())
    print(
        f"minute {minute + 1:>2}  ingest p50 {quantile(ingest, 0.5):4.0f} p95 {quantile(ingest, 0.95):4.0f} ms"
        f"  decision p50 {quantile(decision, 0.5):4.0f} p95 {quantile(decision, 0.95):4.0f} ms  {parts}",
        flush=True,
    )


def verdicts_on(
    seen: Timings, samples: list[tuple[float, dict[str, float]]], began: float, seconds: float
) -> Iterator[Verdict]:
    """On each figure, after the warm-up. Latencies are those of thirds of a minute."""
    since = began + WARM_UP_SHARE * seconds
    window = max(seconds / 30, 2)
    places = [since + window * number for number in range(int((began + seconds - since) / window))]
    timings = (("ingest p50 ms", seen.ingest, 0.5), ("ingest p95 ms", seen.ingest, 0.95))
    for name, points, part in (*timings, ("decision p50 ms", seen.decision, 0.5)):
        figures = [(at, figures_of(points, at, at + window)) for at in places]
        yield judged(name, [(at, quantile(found, part)) for at, found in figures if found], LIMITS[name])
    warm = [(at, sample) for at, sample in samples if at >= since]
    for name in warm[0][1]:
        yield judged(name, [(at, sample[name]) for at, sample in warm], OF_SAMPLES[name.rsplit(" ", 1)[1]])


def main() -> None:
    """Parse, soak, and say by the exit code whether it was flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--share", type=float, default=0.7, help="of the measured ceiling")
    parser.add_argument("--embedded", action="store_true", help="the embedded console instead of the distributed one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, (embedded if given.embedded else distributed)(Path(folder)) as place:
        if not asyncio.run(soaked(place, given.minutes, given.share)):
            raise SystemExit("not flat")
    print("flat")


if __name__ == "__main__":
    main()
