"""The tables that there are become partitioned with all their rows, and can be made whole again."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from runs.models import LOG_TABLES, Span
from runs.months import Month
from runs.queries.partitions import default_of, months_of, partition_of
from tests.cast import AgentCaller
from tests.ingest.items import whole_run
from tests.partitions.months import has_month, number, rows_in, run_begun

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
MIGRATION = import_module("runs.migrations.0005_partition_log_by_month")


def migrate(step: Callable[..., None]) -> None:
    """Take the migration's step alone: later ones added columns, and the models have them."""
    with connection.schema_editor() as editor:
        step(None, editor)


def contents() -> dict[str, list[Any]]:
    return {table._meta.db_table: sorted(map(str, table._default_manager.values_list())) for table in LOG_TABLES}


def described(table: str) -> set[str]:
    """The constraints and indexes of a table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
            " UNION ALL SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index"
            " WHERE indrelid = %s::regclass",
            [table, table],
        )
        return {text for (text,) in cursor.fetchall()}


def test_every_row_goes_along_both_ways_into_the_partition_of_its_month(agent: AgentCaller):
    now = timezone.now()
    began = [now, now - timedelta(days=62), now - timedelta(days=365 * 30), now + timedelta(days=365 * 30)]
    for moment in began:
        agent.send(*whole_run(run_begun(moment)))
    kept, shapes = contents(), [described(table._meta.db_table) for table in LOG_TABLES]
    migrate(MIGRATION.unite)
    assert [months_of(table) for table in LOG_TABLES] == [set(), set(), set()]
    assert number("SELECT count(*) FROM pg_class WHERE relname ~ '^runs_.*_(default|new|[0-9]{4}_[0-9]{2})$'") == 0
    assert contents() == kept
    assert [described(table._meta.db_table) for table in LOG_TABLES] == shapes
    migrate(MIGRATION.partition)
    assert contents() == kept
    assert [described(table._meta.db_table) for table in LOG_TABLES] == shapes
    for moment in began[:2]:
        assert rows_in(partition_of(Span, Month.of(moment))) == 1
        assert has_month(Month.of(moment))
    assert rows_in(default_of(Span)) == 2


def test_what_comes_afterwards_is_stored_as_before(agent: AgentCaller):
    migrate(MIGRATION.unite)
    items = whole_run(run_begun(timezone.now()))
    assert agent.send(*items[:4]).json()["accepted"] == 4
    migrate(MIGRATION.partition)
    answer = agent.send(*items).json()
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (3, 4, [])
