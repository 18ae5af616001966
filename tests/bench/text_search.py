"""Searching the texts of a million events against ten thousand: the slower of the two answers of each kind, as 95th percentiles of one run.

Prints one JSON object. The ceiling of each `ratio` is 3. Run: `python -m tests.bench.text_search [events]`; on PostgreSQL with DATABASE_URL.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

SMALL, LARGE = 10_000, 1_000_000
ASKED = 60
RUN_EVENTS = 100
CHUNK = 5_000
COMMON = ("checkout", "latency", "upstream", "refused", "connection", "saturated", "deploy", "replica")


def questions(chance: random.Random, rare: list[str]) -> dict[str, list[str]]:
    """Of each kind, what people ask."""
    return {
        "common word": [f"q={word}" for word in COMMON],
        "two words": [f"q={a}+{b}" for a in COMMON for b in COMMON if a != b],
        "beginning": [f"q={word[:3]}" for word in COMMON],
        "phrase": ["q=%22connection+refused%22"],
        "rare word": [f"q={word}" for word in chance.sample(rare, 20)],
        "nothing": ["q=nowhere" + str(n) for n in range(20)],
        "with conditions": [f"q={word}&level=error&agent=bench" for word in COMMON],
    }


def rows(count: int, chance: random.Random, agent_id: int, first_run: Any, rare: list[str]) -> Iterator[dict[str, Any]]:
    """Events as they are indexed: ten words each, one in a hundred with a word that is its own."""
    now = datetime.now(UTC)
    for number in range(count):
        words = chance.choices(COMMON, k=2) + [f"w{chance.randrange(5000)}" for _ in range(8)]
        if number % 100 == 0:
            words.append(f"own{number}")
            rare.append(words[-1])
        yield {
            "run_id": first_run[number // RUN_EVENTS], "row_id": f"{number:032x}", "kind": "event", "seq": number + 1,
            "at": now - timedelta(seconds=(count - number) / count * 3600), "environment": "dev", "agent_id": agent_id,
            "name": "ROUTER_DECISION", "level": "error" if number % 50 == 0 else "info", "outcome": "", "elapsed_ms": None,
            "soft_ms": None, "hard_ms": None, "words": " ".join(words),
        }  # fmt: skip


def measured(count: int) -> dict[str, float]:
    """95th percentiles in milliseconds, by kind of question, over `count` events in a fresh database."""
    from django.http import QueryDict
    from django.utils import timezone

    from runs.ingest import store
    from runs.models import Environment
    from runs.services.credentials import issue_credential
    from traces.models import LogText
    from traces.queries.search import matches
    from traces.queries.search_filter import search_filter_of

    LogText.objects.all().delete()
    Environment.objects.get_or_create(name="dev")
    made = issue_credential(actor="bench", environment="dev", agent="bench", instance=f"of-{count}").instance
    chance = random.Random(7)
    rare: list[str] = []
    import uuid

    runs = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(count // RUN_EVENTS + 1)]
    waiting: list[dict[str, Any]] = []
    for row in rows(count, chance, made.agent_id, runs, rare):
        waiting.append(row)
        if len(waiting) == CHUNK:
            store.insert_new(LogText, waiting, key=("run_id", "row_id"))
            waiting = []
    store.insert_new(LogText, waiting, key=("run_id", "row_id"))
    settle()
    found = {}
    for kind, asked in questions(chance, rare).items():
        took = []
        for number in range(ASKED + 5):
            chosen = search_filter_of(QueryDict(asked[number % len(asked)]).dict(), ["dev"], timezone.now())
            began = time.perf_counter()
            matches(chosen)
            took.append((time.perf_counter() - began) * 1000)
        found[kind] = sorted(took[5:])[ASKED * 95 // 100]
    return found


def settle() -> None:
    """What a database does by itself in time."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE traces_logtext" if connection.vendor == "postgresql" else "ANALYZE")


def main(large: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CONSOLE_VAR": folder, "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "agentconsole.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        few, many = measured(SMALL), measured(large)
    ratios = {kind: round(many[kind] / few[kind], 2) for kind in few}
    print(json.dumps({
        "bench": "text_search", "events": [SMALL, large], "ceiling": 3, "ratio": ratios,
        "p95_ms": {kind: [round(few[kind], 1), round(many[kind], 1)] for kind in few},
    }))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LARGE)
