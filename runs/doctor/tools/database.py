"""The console's database as a store: how large, what takes the room, what is old."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from runs.doctor.tools.reading import Reading
from runs.models import Agent, AgentInstance, Environment, PhaseTick, Run, Span, TraceEvent
from runs.queries.retention import cutoffs, expired_runs
from runs.queries.shapes import iso

TABLES: tuple[type[models.Model], ...] = (Run, PhaseTick, Span, TraceEvent, Agent, AgentInstance)
COUNTED_RUNS = 10_000


@Reading
def database_size() -> dict[str, int]:
    """Bytes of the database, of them unused, and of its write-ahead log where that is a file."""
    if connection.vendor == "postgresql":
        return {"bytes": _number("SELECT pg_database_size(current_database())"), "unused": 0, "wal": 0}
    page = _number("PRAGMA page_size")
    wal = Path(f"{settings.DATABASES['default']['NAME']}-wal")
    return {
        "bytes": _number("PRAGMA page_count") * page,
        "unused": _number("PRAGMA freelist_count") * page,
        "wal": wal.stat().st_size if wal.exists() else 0,
    }


@Reading
def table_rows() -> dict[str, int]:
    """Rows a table, most first, by the database's own account: exact to a few per cent, and no scan."""
    rows = {table._meta.db_table: _estimated_rows(table._meta.db_table) for table in TABLES}
    return dict(sorted(rows.items(), key=lambda item: -item[1]))


@Reading
def oldest_run(environments: list[str]) -> dict[str, str]:
    """When the oldest run that is kept began. Nothing if none is."""
    firsts = [
        Run.objects.filter(environment=name).order_by("started_at").values_list("started_at", "environment").first()
        for name in environments
    ]
    at, environment = min((first for first in firsts if first), default=(None, ""))
    return {"started_at": iso(at), "environment": environment} if at else {}


@Reading
def open_environments(own: str) -> list[str]:
    """The environments that everybody may look into, and the doctor's own."""
    open_to_all = Environment.objects.filter(models.Q(is_restricted=False) | models.Q(name=own))
    return list(open_to_all.order_by("name").values_list("name", flat=True))


@Reading
def past_retention(environments: list[str]) -> dict[str, int]:
    """Runs that the retention sweep would delete now, by environment; counted up to COUNTED_RUNS."""
    counts = {
        name: expired_runs(name, cutoff)[:COUNTED_RUNS].count()
        for name, cutoff in cutoffs(timezone.now()).items()
        if name in environments
    }
    return {name: count for name, count in counts.items() if count}


def prunable_before(environment: str) -> str:
    """The midnight (UTC, ISO 8601) before which the environment's runs are past their retention: the same all day, so that
    a question asked again is the same question."""
    cutoff = cutoffs(timezone.now())[environment]
    return cutoff.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def _estimated_rows(table: str) -> int:
    if connection.vendor == "postgresql":
        # -1: never analysed, which a table of some size has been. Of a table in partitions, those are told.
        return _number(
            "SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class LEFT JOIN pg_inherits ON inhrelid = oid"
            " WHERE %s::regclass IN (oid, inhparent) AND relkind = 'r'",
            [table],
        )
    return _number(f'SELECT max(rowid) FROM "{table}"')  # noqa: S608  a table of ours


def _number(statement: str, params: list[Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else 0
