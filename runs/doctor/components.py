"""What the doctor needs to work, declared to the console like any agent's: it is ready only while the critical ones are proven."""

import httpx
from django.conf import settings
from django.db import connection, connections

from agentconsole.sdk import Console

LEASE_S, TIMEOUT_S = 20.0, 5.0


def declare_components(console: Console) -> None:
    """Before the first run, so that what was never proven shows. Without its database it can say nothing; without a web
    process it can still read the rows."""
    console.component("database", lease_s=LEASE_S, timeout_s=TIMEOUT_S, check=read_database)
    console.component("web process", critical=False, lease_s=LEASE_S, timeout_s=TIMEOUT_S, check=ask_web)


def read_database() -> str:
    """One read, by a connection of the checking thread's own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connections.close_all()
    return f"it answers ({connection.vendor})"


def ask_web() -> str:
    """Whether the console answers over HTTP, as the doctor's tools ask it."""
    answer = httpx.get(f"{settings.CONSOLE_URL}/health/live", timeout=TIMEOUT_S).raise_for_status()
    return f"it answered within {answer.elapsed.total_seconds() * 1000:.0f} ms"
