"""Native ingest in batches of 512 items against plain `sqlite3.executemany` of the same rows, in the same batches, with the
same schema, indexes and pragmas. Twice: the ingest itself (a body's bytes to the commit: decoded, validated, redacted,
cut, merged, numbered, written), and over HTTP through a real web process that shares two cores with its senders.

Prints one JSON object. The floor of `ratio` is 0.30. Run: `python -m tests.bench.ingest_rate [items]`.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from agentconsole.protocol.ids import new_request_id, new_span_id, uuid7
from tests.bench.console import Console, console

BATCH = 512
RUN_ITEMS = 32
SENDERS = 2
MEASURED = ("runs_run", "runs_phasetick", "runs_span", "runs_traceevent")
WORDS = [
    "checkout",
    "latency",
    "p95",
    "upstream",
    "refused",
    "connection",
    "pool",
    "saturated",
    "after",
    "deploy",
    "region",
    "eu-west",
    "replica",
    "lag",
]


def items_of_run(rng: random.Random) -> list[dict[str, Any]]:
    """One run of 32 items: a start, 4 ticks, 20 finished spans with 1.5 kB results, 6 events, an end."""
    run, at = str(uuid7()), "2026-11-22T20:00:00.000001Z"
    text = " ".join(rng.choices(WORDS, k=180))
    span = {
        "type": "span",
        "run": run,
        "at": at,
        "ended_at": "2026-11-22T20:00:00.350001Z",
        "kind": "tool",
        "name": "search_logs",
        "phase": "gather",
        "outcome": "ok",
        "budget": {"soft_ms": 500, "hard_ms": 2000},
    }
    return [
        {"type": "run.started", "id": run, "at": at, "request_id": new_request_id(), "transport": "rest", "query": text[:80]},
        *({"type": "tick", "id": str(uuid7()), "run": run, "at": at, "phase": "gather", "state": "alive"} for _ in range(4)),
        *({**span, "id": new_span_id(), "arguments": {"query": text[:60], "limit": 50}, "result": text} for _ in range(20)),
        *({"type": "event", "id": str(uuid7()), "run": run, "at": at, "token": "ROUTER_DECISION", "fields": {"route": "storage"}} for _ in range(6)),
        {"type": "run.finished", "id": run, "at": "2026-11-22T20:00:09Z", "status": "succeeded"},
    ]  # fmt: skip


def bodies(count: int) -> list[bytes]:
    """`count` items in bodies of BATCH items."""
    rng = random.Random(7)
    items = [item for _ in range(count // RUN_ITEMS) for item in items_of_run(rng)]
    return [json.dumps({"items": items[at : at + BATCH]}).encode() for at in range(0, len(items), BATCH)]


def send(server: Console, queue: list[bytes]) -> None:
    """Post bodies until there are none left."""
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=60) as client:
        while queue:
            try:
                body = queue.pop()
            except IndexError:
                return
            answer = client.post("/api/v1/ingest", content=body, headers={"Content-Type": "application/json"})
            answer.raise_for_status()
            rejected = answer.json()["rejected"]
            if rejected:
                raise SystemExit(f"refused: {rejected[0]}")


def ingest_s(server: Console, prepared: list[bytes]) -> float:
    """Seconds to store all bodies over HTTP with SENDERS connections."""
    queue = list(prepared)
    senders = [threading.Thread(target=send, args=(server, queue)) for _ in range(SENDERS)]
    began = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return time.perf_counter() - began


def executemany_s(stored: Path, fresh: Path) -> tuple[float, int]:
    """Seconds to store the same rows, in the same batches, with the standard library alone; and their number."""
    with sqlite3.connect(stored) as source:
        schema = source.execute(
            "SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE%' AND name NOT LIKE 'sqlite_%' ORDER BY type DESC"
        ).fetchall()
        names = source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        content = {name: source.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names.fetchall()}
        by_run = {name: rows_by_run(source, name) for name in MEASURED}
    target = sqlite3.connect(fresh, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF"):
        target.execute(f"PRAGMA {pragma}")
    for (sql,) in schema:
        target.execute(sql)
    for name, rows in content.items():
        if name not in MEASURED:
            insert(target, name, rows)
    target.execute("PRAGMA foreign_keys=ON")
    runs = list(by_run["runs_run"])
    began = time.perf_counter()
    for at in range(0, len(runs), BATCH // RUN_ITEMS):
        target.execute("BEGIN IMMEDIATE")
        for name, rows_of in by_run.items():
            insert(target, name, [row for run in runs[at : at + BATCH // RUN_ITEMS] for row in rows_of[run]])
        target.execute("COMMIT")
    return time.perf_counter() - began, sum(len(content[name]) for name in MEASURED)


def rows_by_run(source: sqlite3.Connection, table: str) -> dict[str, list[tuple[Any, ...]]]:
    """A table's rows, by the run that they belong to."""
    key = "id" if table == "runs_run" else "run_id"
    found: dict[str, list[tuple[Any, ...]]] = {}
    for run, *row in source.execute(f"SELECT {key}, * FROM {table}"):
        found.setdefault(run, []).append(tuple(row))
    return found


def insert(target: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """One `executemany`."""
    if rows:
        target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def ingest_alone_s(items: int) -> float:
    """Seconds for the same without HTTP: the ingest itself, from a body's bytes to the commit, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"CONSOLE_VAR": folder, "LOG_LEVEL": "ERROR", "DATABASE_URL": "", "REDIS_URL": ""}
        command = [sys.executable, "-m", "tests.bench.ingest_alone", str(items)]
        return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64_000
    prepared = bodies(count)
    items = len(prepared) * BATCH
    with console() as server:
        over_http = ingest_s(server, prepared)
        server.stop()
        bare, rows = executemany_s(server.database, server.var / "bare.sqlite3")
    alone = ingest_alone_s(count)
    print(json.dumps({
        "bench": "ingest_rate", "items": items, "rows": rows, "executemany_rows_s": round(rows / bare),
        "ingest_rows_s": round(rows / alone), "ratio": round(bare / alone, 3), "floor": 0.30,
        "over_http_rows_s": round(rows / over_http), "over_http_ratio": round(bare / over_http, 3),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
