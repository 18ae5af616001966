"""Native ingest over HTTP against plain `sqlite3.executemany` of the same rows: same schema, indexes and pragmas.

Prints one JSON object. The floor is 0.30 (rows a second of ingest / rows a second of executemany).
Run: `python -m tests.bench.ingest_rate [items]`.
"""

import json
import random
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from agentconsole.protocol.ids import new_request_id, new_span_id, uuid7
from tests.bench.console import Console, console

BATCH = 512
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
    items = [item for _ in range(count // 32) for item in items_of_run(rng)]
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
    """Seconds to store the same rows with the standard library alone, a transaction every BATCH rows, and their number."""
    with sqlite3.connect(stored) as source:
        schema = [
            sql
            for (sql,) in source.execute(
                "SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE%' AND name NOT LIKE 'sqlite_%' ORDER BY type DESC"
            )
        ]
        names = source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        content = {name: source.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names.fetchall()}
    target = sqlite3.connect(fresh, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        target.execute(f"PRAGMA {pragma}")
    for sql in schema:
        target.execute(sql)
    tables = {name: content.pop(name) for name in MEASURED}
    target.execute("PRAGMA foreign_keys=OFF")
    for name, rows in content.items():
        for row in rows:
            target.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    target.execute("PRAGMA foreign_keys=ON")
    began = time.perf_counter()
    for name, rows in tables.items():
        statement = f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})"
        for at in range(0, len(rows), BATCH):
            target.execute("BEGIN IMMEDIATE")
            target.executemany(statement, rows[at : at + BATCH])
            target.execute("COMMIT")
    return time.perf_counter() - began, sum(map(len, tables.values()))


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64_000
    prepared = bodies(count)
    with console() as server:
        took = ingest_s(server, prepared)
        server.stop()
        bare, rows = executemany_s(server.database, server.var / "bare.sqlite3")
    items = len(prepared) * BATCH
    print(json.dumps({
        "bench": "ingest_rate", "items": items, "rows": rows, "ingest_items_s": round(items / took),
        "ingest_rows_s": round(rows / took), "executemany_rows_s": round(rows / bare),
        "ratio": round(bare / took, 3), "floor": 0.30,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
