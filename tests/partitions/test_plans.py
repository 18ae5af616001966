"""What reads one run reads one partition, by an index; what reads across runs reads each of them by an index."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.doctor.tools.activity import failed_calls
from runs.models import LOG_TABLES, Run
from runs.months import Month
from runs.queries.log import run_log
from runs.queries.partitions import months_of, partition_of
from runs.queries.search import spans_by
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, span, tick, whole_run
from tests.partitions.months import long_ago, partition
from traces.queries.events import EventFilter, event_page, token_counts

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
PARENTS = [table._meta.db_table for table in LOG_TABLES]


@pytest.fixture
def run(agent: AgentCaller) -> str:
    """A run of this month, beside the partitions of others."""
    partition(long_ago())
    run = new_run()
    agent.send(*whole_run(run)[:-1])
    return run


def plans_of(work: Callable[[], Any]) -> list[str]:
    """The plan of each query of some work that reads a run's log."""
    with CaptureQueriesContext(connection) as taken:
        work()
    statements = [query["sql"] for query in taken.captured_queries]
    plans = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in statements:
            if sql.startswith(("SELECT", "DELETE", "UPDATE")) and any(f'"{parent}"' in sql for parent in PARENTS):
                cursor.execute(f"EXPLAIN {sql}")
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def partitions_in(plan: str) -> set[str]:
    return {part for part in _all_partitions() if f" {part}" in plan}


def _all_partitions() -> set[str]:
    months = {partition_of(table, month) for table in LOG_TABLES for month in months_of(table)}
    return months | {f"{parent}_default" for parent in PARENTS}


def reads(
    run: str, agent: AgentCaller, viewer: User, sign_in: Callable[[User], Client]
) -> dict[str, Callable[[], Any]]:
    browser = sign_in(viewer)
    tabs = ("timeline", "tokens", "agents")
    pages: dict[str, Callable[[], Any]] = {
        f"the {tab}": partial(browser.get, f"/runs/{run}/?tab={tab}") for tab in tabs
    }
    return {
        **pages,
        "the list": lambda: browser.get("/runs/?environment=dev"),
        "the log": lambda: run_log(uuid.UUID(run), 0),
        "an ingest": lambda: agent.send(tick(run), event(run), span(run)),
        "a deletion": lambda: Run.objects.filter(id=run).delete(),
    }


def test_what_reads_one_run_reads_one_partition_of_each_table(
    run: str, agent: AgentCaller, viewer: User, sign_in: Callable[[User], Client]
):
    this = {partition_of(table, Month.of(timezone.now())) for table in LOG_TABLES}
    for name, work in reads(run, agent, viewer, sign_in).items():
        plans = plans_of(work)
        for plan in plans:
            assert partitions_in(plan) <= this, f"{name}\n{plan}"
            assert "Seq Scan" not in plan, f"{name}\n{plan}"
        assert plans, name


def test_what_the_doctor_reads_of_the_last_minutes_leaves_the_months_before_alone(run: str):
    [plan] = plans_of(lambda: failed_calls._read(["dev"], minutes=60, without_agent=""))
    assert str(long_ago()) not in plan


def test_what_reads_across_runs_reads_each_partition_by_its_index(run: str):
    """A token's events of the last day may be those of a run that began a year ago: no partition can be left out."""
    now = timezone.now()
    chosen = EventFilter("ROUTER_DECISION", "", ("dev",), "", "24h", now - timedelta(days=1), now)
    plans = plans_of(
        lambda: (event_page(chosen, None), list(spans_by(Q(span_id="0" * 16), ["dev"])), token_counts(chosen))
    )
    assert len(plans) >= 2
    for plan in plans:
        assert "Seq Scan on runs_" not in plan
        assert len(partitions_in(plan)) == len(months_of(LOG_TABLES[0])) + 1
