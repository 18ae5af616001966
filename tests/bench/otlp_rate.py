"""Exports of ordinary GenAI spans (22 a trace, 1.5 kB results, 512 a batch), decoded to committed, against native items (bytes to
committed, as in `ingest_rate`), in one process each on SQLite: what mapping and placing add.

Prints one JSON object. The floor of `ratio` (spans a second against native items a second) is 0.25. Run: `python -m tests.bench.otlp_rate [spans]`.
"""

import json
import os
import subprocess
import sys
import tempfile

FLOOR = 0.25


def seconds(module: str, count: int) -> float:
    """What a bench of one door prints, in a process and a console of its own; the best of three."""
    best = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            env = {**os.environ, "CONSOLE_VAR": folder, "LOG_LEVEL": "ERROR", "DATABASE_URL": "", "REDIS_URL": ""}
            command = [sys.executable, "-m", f"tests.bench.{module}", str(count)]
            best.append(float(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout))
    return min(best)


def main(spans: int) -> None:
    """Measure both, print the ratio, fail below the floor."""
    otlp, native = seconds("otlp_alone", spans), seconds("ingest_alone", spans)
    ratio = native / otlp
    print(
        json.dumps({"spans_s": round(spans / otlp), "native_items_s": round(spans / native), "ratio": round(ratio, 2)})
    )
    sys.exit(f"below {FLOOR}" if ratio < FLOOR else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 22_528)
