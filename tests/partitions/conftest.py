"""Tests that make and drop partitions leave behind those that they found."""

from collections.abc import Iterator

import pytest
from django.db import connection

from runs.models import LOG_TABLES
from runs.queries.partitions import months_of, partition_of
from runs.services import partitions
from runs.services.partitions import make_partitions


@pytest.fixture(autouse=True)
def _partitions_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """PostgreSQL's DDL is rolled back with its test. A test that commits has to clear up."""
    if request.node.get_closest_marker("postgres") is None or connection.vendor != "postgresql":
        yield
        return
    request.getfixturevalue("_django_db_helper")
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            # Tables whose keys are still to be checked at the end of the test can't be altered before.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield
        return
    before = {table: months_of(table) for table in LOG_TABLES}
    yield
    with connection.cursor() as cursor:
        for table in LOG_TABLES:
            for month in months_of(table) - before[table]:
                cursor.execute(f'DROP TABLE "{partition_of(table, month)}"')
    make_partitions(move_at_most=None)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "PAUSE_S", 0)
