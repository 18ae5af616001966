"""Runs of other months, and where their rows lie."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from agentconsole.protocol.ids import first_uuid7
from runs.models import LOG_TABLES
from runs.months import Month
from runs.queries.partitions import months_of, partition_of
from tests.cast import AgentCaller
from tests.ingest.items import whole_run
from tests.sweeps.runs import aged


def run_begun(at: datetime) -> str:
    """The id of a run that began at a time."""
    return str(UUID(int=first_uuid7(at).int | 0x7 << 76 | 0b10 << 62 | random.getrandbits(62)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def long_ago() -> Month:
    """A month that is wholly past the retention of 30 days and its grace, and has no partition."""
    return Month.of(timezone.now() - timedelta(days=100))


def partition(month: Month) -> None:
    """Make the partitions of a month."""
    with connection.cursor() as cursor:
        for table in LOG_TABLES:
            cursor.execute(
                f'CREATE TABLE "{partition_of(table, month)}" PARTITION OF "{table._meta.db_table}"'
                f" FOR VALUES FROM ('{month.first_id}') TO ('{month.end_id}')"
            )


def has_month(month: Month) -> bool:
    """Whether every table of the log has its partition."""
    return all(month in months_of(table) for table in LOG_TABLES)


def ended_run_of(agent: AgentCaller, month: Month, *, days_ago: float | None = None) -> str:
    """A run that began in a month and was heard of last then, or some days ago."""
    run = run_begun(month.start + timedelta(hours=1))
    assert agent.send(*whole_run(run)).json()["rejected"] == []
    aged(run, month.start if days_ago is None else timezone.now() - timedelta(days=days_ago))
    return run


def rows_in(name: str) -> int:
    """How many rows a table or partition has."""
    return number(f'SELECT count(*) FROM "{name}"')


def number(statement: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.fetchone()[0])
