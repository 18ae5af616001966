"""Finding a run by its request ID, at a thousand runs and at a million: one database each, made for the measurement.

Prints one JSON object a database; the ceiling is 1.5 (median at a million / median at a thousand).
Run: `python -m tests.bench.lookup`, with DATABASE_URL for PostgreSQL beside SQLite. Takes two to four minutes.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

SMALL, LARGE = 1_000, 1_000_000
LOOKUPS = 400
CHUNK = 20_000


def fill(count: int) -> list[str]:
    """Store `count` runs of one agent; some of their request IDs."""
    from django.utils import timezone

    from agentconsole.protocol.ids import new_request_id, uuid7
    from runs.ingest.fold import blank_run
    from runs.ingest.store import insert_new
    from runs.models import Agent, Environment, Run

    environment = Environment.objects.get_or_create(name="dev")[0]
    agent = Agent.objects.create(environment=environment, name="bench")
    now = timezone.now()
    blank = blank_run(uuid.UUID(int=0), at=now, now=now)
    blank.environment_id, blank.agent_id, blank.status = "dev", agent.id, "succeeded"
    columns = {field.attname: getattr(blank, field.attname) for field in Run._meta.concrete_fields}
    sample: list[str] = []
    for at in range(0, count, CHUNK):
        rows = [{**columns, "id": uuid7(), "request_id": new_request_id()} for _ in range(min(CHUNK, count - at))]
        insert_new(Run, rows, key=("id",))
        sample += [row["request_id"] for row in rows[:: max(1, count // LOOKUPS)]]
    return sample


def median_us(count: int) -> float:
    """Microseconds of the median look-up among `count` runs, over the whole search: queries, and the hit made."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from runs.queries.search import search

    call_command("migrate", verbosity=0)
    sample = fill(count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    random.Random(3).shuffle(sample)
    times = []
    for request_id in [sample[number % len(sample)] for number in range(2 * LOOKUPS)]:
        began = time.perf_counter()
        found = search(request_id, ["dev"])
        times.append(time.perf_counter() - began)
        if len(found.hits) != 1:
            raise SystemExit(f"{request_id} was not found")
    return statistics.median(times[LOOKUPS:]) * 1e6


def measured(count: int, database_url: str) -> float:
    """`median_us` in a process and a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "CONSOLE_VAR": folder,
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "agentconsole.settings",
        }
        environment["DATABASE_URL"] = database_url
        command = [sys.executable, "-m", "tests.bench.lookup", str(count)]
        return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def on_postgres(count: int, server_url: str) -> float:
    """`measured` in a database that is made for it and dropped."""
    import psycopg

    name = f"bench_lookup_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            return measured(count, urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def report(database: str, small: float, large: float) -> None:
    """One line a database."""
    print(json.dumps({
        "bench": "lookup", "database": database, "median_us_at_1000": round(small), "median_us_at_1000000": round(large),
        "ratio": round(large / small, 2), "ceiling": 1.5,
    }))  # fmt: skip


def main() -> None:
    """With a number: measure among so many runs. Without: compare."""
    if len(sys.argv) > 1:
        print(median_us(int(sys.argv[1])))
        return
    report("sqlite", measured(SMALL, ""), measured(LARGE, ""))
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        report("postgresql", on_postgres(SMALL, url), on_postgres(LARGE, url))


if __name__ == "__main__":
    main()
