"""Memory of the web process while 200,000 items go through its ingest.

Prints one JSON object: resident megabytes after each tenth. The ceiling is 1.15 (the last / the third tenth, when
caches and pools are warm). Run: `python -m tests.bench.memory`.
"""

import json
from pathlib import Path

from tests.bench.console import console
from tests.bench.ingest_rate import BATCH, bodies, ingest_s

TENTH = 20_480


def resident_mb(pid: int) -> float:
    """The process's resident set (Linux)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure and print."""
    seen = []
    with console() as server:
        for _ in range(10):
            ingest_s(server, bodies(TENTH))
            seen.append(round(resident_mb(server.process.pid), 1))
    print(json.dumps({
        "bench": "memory", "items": TENTH // BATCH * BATCH * 10, "resident_mb": seen,
        "ratio": round(seen[-1] / seen[2], 3), "ceiling": 1.15,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
