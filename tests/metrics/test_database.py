"""Facts of the database are read when they are asked for: few queries, in bounded time, and never a 500."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import Metric

from agentconsole.monitoring.database import DatabaseCollector, read_facts
from agentconsole.services import record_beat
from approvals.models import Action
from runs.services.bootstrap import make_groups_and_environments
from tests.approvals.asking import ask_for
from tests.approvals.webhooks.conftest import told
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, run_finished, run_started
from tests.metrics.scraping import scrape
from tests.partitions.months import run_begun

__all__ = ["told"]
FAILED = "agentconsole_collect_failed"
pytestmark = pytest.mark.django_db(transaction=True)


def facts() -> dict[tuple[str, ...], float]:
    """What the database tells, by name and labels."""
    samples = [sample for family in read_facts() for sample in family.samples]
    return {(one.name.removeprefix("agentconsole_"), *one.labels.values()): one.value for one in samples}


def test_what_waits_is_told_by_environment_with_its_age(agent: AgentCaller) -> None:
    ask_for(agent)
    Action.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    ask_for(agent)
    found = facts()
    assert (found["pending_actions", "dev"], found["pending_actions", "prod"]) == (2, 0)
    assert found["pending_actions_oldest_age_seconds", "dev"] == pytest.approx(300, abs=5)
    assert found["pending_actions_oldest_age_seconds", "prod"] == 0


def test_live_runs_are_told_by_status_and_ended_ones_are_not(agent: AgentCaller) -> None:
    ended = new_run()
    agent.send(run_started(new_run()), run_started(new_run()), run_started(ended), run_finished(ended))
    found = {key: value for key, value in facts().items() if key[:2] == ("runs", "dev")}
    assert found == {("runs", "dev", "queued"): 0, ("runs", "dev", "running"): 2, ("runs", "dev", "waiting"): 0}


def test_the_outbox_the_beats_and_the_chain_are_told(sent, told) -> None:
    record_beat("worker")
    found = facts()
    assert found["webhook_outbox",] == 1
    assert found["audit_head",] >= 2
    assert found["beat_age_seconds", "worker"] == pytest.approx(0, abs=2)


@pytest.mark.postgres
def test_rows_that_belong_to_no_months_partition_are_told(agent: AgentCaller) -> None:
    assert facts()["unpartitioned_rows", "runs_traceevent"] == 0
    agent.send(event(run_begun(timezone.now() + timedelta(days=400))))
    assert facts()["unpartitioned_rows", "runs_traceevent"] == 1


def test_all_of_it_takes_eight_queries(agent: AgentCaller, django_assert_num_queries) -> None:
    for _ in range(3):
        ask_for(agent)
    with django_assert_num_queries(11 if connection.vendor == "postgresql" else 8):
        read_facts()


@pytest.mark.sqlite
def test_each_of_them_goes_by_an_index(agent: AgentCaller) -> None:
    with CaptureQueriesContext(connection) as taken:
        read_facts()
    with connection.cursor() as cursor:
        for query in taken.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            assert [step for *_, step in cursor.fetchall() if "SCAN" in step and "INDEX" not in step] == []


async def test_scrapes_in_a_row_read_once(environments: None, database) -> None:
    reads: list[int] = []

    def read() -> list[Metric]:
        reads.append(1)
        return []

    database(read)
    for _ in range(5):
        assert (await scrape()).value(FAILED) == 0
    assert len(reads) == 1


async def test_a_database_that_is_away_is_a_fact_of_its_own(database) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    database(away)
    found = await scrape()
    assert (found.status, found.value(FAILED)) == (200, 1)
    assert found.value("agentconsole_live_sockets") is not None
    assert found.value("agentconsole_audit_head") is None


def test_a_database_that_hangs_is_waited_for_once_and_not_for_long(logged) -> None:
    answer = threading.Event()

    def hang() -> list[Metric]:
        assert answer.wait(10)
        return []

    collector = DatabaseCollector(hang, within_s=0.05)
    try:
        for _ in range(3):
            assert next(collector.collect()).samples[0].value == 1
        assert len(logged("METRICS_INCOMPLETE")) == 3
        assert collector._thread._work_queue.empty()
    finally:
        answer.set()
    assert next(collector.collect()).samples[0].value == 0


async def test_what_is_read_is_what_is_shown(environments: None) -> None:
    found = await scrape()
    assert found.value(FAILED) == 0
    assert found.value("agentconsole_pending_actions", environment="dev") == 0
    assert found.value("agentconsole_ready") == 0


def test_a_console_without_environments_has_facts_too() -> None:
    assert facts()["audit_head",] == 0
    make_groups_and_environments()
    assert facts()["pending_actions", "staging"] == 0
