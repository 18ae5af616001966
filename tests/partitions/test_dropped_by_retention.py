"""A month of which every run is past its retention goes at once; one that any run needs stays."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs import tasks
from runs.models import LOG_TABLES, Environment, Run, RunStatus, Span
from runs.months import Month
from runs.queries.partitions import months_of, partition_of
from runs.queries.retention import cutoffs, held_runs
from runs.services.partitions import drop_expired_months
from runs.services.sweeps import prune_expired_runs
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, whole_run
from tests.partitions.months import ended_run_of, has_month, long_ago, partition, rows_in
from tests.sweeps.runs import ended_run, orphans, rows_of, rows_of_id, set_status
from tests.sweeps.test_sweeps_at_once import at_once, closing_after

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
at_once_with_others = pytest.mark.django_db(transaction=True)
Logged = Callable[[str], list[dict[str, Any]]]


def drop() -> int:
    return drop_expired_months(cutoffs(timezone.now()))


@pytest.fixture
def old() -> Month:
    """A month past every retention, with its partitions."""
    month = long_ago()
    partition(month)
    return month


def test_an_expired_month_is_dropped_with_its_runs_and_nothing_else_goes(
    agent: AgentCaller, old: Month, logged: Logged
):
    gone = {ended_run_of(agent, old) for _ in range(3)}
    young = ended_run(agent, days_ago=1)
    rows = rows_of(young)
    found = prune_expired_runs()
    assert (found.months, found.runs, found.rows, found.is_done) == (1, 3, 3, True)
    assert not any(old in months_of(table) for table in LOG_TABLES)
    assert not Run.objects.filter(id__in=gone).exists()
    assert rows_of(young) == rows > 0
    [line] = logged("PARTITION_DROPPED")
    assert set(line["partitions"]) == {partition_of(table, old) for table in LOG_TABLES}
    assert prune_expired_runs().months == 0


def test_its_rows_are_not_deleted_one_by_one(agent: AgentCaller, old: Month):
    ended_run_of(agent, old)
    with CaptureQueriesContext(connection) as taken:
        tasks.sweep_retention()
    statements = [query["sql"] for query in taken.captured_queries]
    dropped = next(at for at, sql in enumerate(statements) if sql.startswith("DROP TABLE"))
    assert not [sql for sql in statements[:dropped] if sql.startswith("DELETE")]


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.WAITING])
def test_a_month_with_a_live_run_stays(agent: AgentCaller, old: Month, status: RunStatus):
    ended_run_of(agent, old)
    live = ended_run_of(agent, old)
    set_status(Run.objects.get(id=live), status)
    assert prune_expired_runs().months == 0
    assert has_month(old)
    assert rows_of_id(live) == 4
    assert [str(run.id) for run in Run.objects.all()] == [live]


def test_a_run_that_was_heard_of_lately_keeps_its_month(agent: AgentCaller, old: Month):
    ended_run_of(agent, old)
    late = ended_run_of(agent, old, days_ago=2)
    assert prune_expired_runs().months == 0
    assert rows_of_id(late) == 4


@pytest.mark.parametrize("days", [0, 3650])
def test_an_environment_that_keeps_longer_keeps_the_month(
    agent: AgentCaller, foreign_agent: AgentCaller, old: Month, days: int
):
    Environment.objects.filter(name="prod").update(retention_days=days)
    ended_run_of(agent, old)
    kept = ended_run_of(foreign_agent, old)
    assert prune_expired_runs().months == 0
    assert [str(run.id) for run in Run.objects.all()] == [kept]
    Environment.objects.filter(name="prod").update(retention_days=30)
    assert prune_expired_runs().months == 1
    assert not Run.objects.exists()


def test_a_console_that_keeps_for_ever_drops_nothing(agent: AgentCaller, old: Month, settings: Any):
    settings.RETENTION_DAYS = 0
    ended_run_of(agent, old)
    assert prune_expired_runs().months == 0
    assert has_month(old)


def test_neither_this_month_nor_one_to_come_is_dropped_however_empty(environments: None, settings: Any):
    settings.RETENTION_DAYS = 1
    known = {table: months_of(table) for table in LOG_TABLES}
    assert drop() == 0
    assert {table: months_of(table) for table in LOG_TABLES} == known


def test_an_old_month_without_a_run_is_dropped(environments: None, old: Month):
    assert drop() == 1


def test_a_run_that_changes_between_the_question_and_the_lock_keeps_its_month(
    agent: AgentCaller, old: Month, monkeypatch: pytest.MonkeyPatch
):
    run = ended_run_of(agent, old)

    def then_something_comes(*question: Any) -> Any:
        answer = held_runs(*question)
        held = answer.exists()
        agent.send(event(run))
        return Run.objects.all() if held else Run.objects.none()

    monkeypatch.setattr("runs.services.partitions.held_runs", then_something_comes)
    assert drop() == 0
    assert rows_of_id(run) == 5


@at_once_with_others
def test_four_workers_at_once_drop_it_once(agent: AgentCaller, old: Month):
    for _ in range(3):
        ended_run_of(agent, old)
    assert sum(at_once(drop)) + drop() == 1
    assert Run.objects.count() == 3


@at_once_with_others
def test_a_long_reader_puts_it_off_while_ingest_goes_on_and_nothing_is_lost(
    agent: AgentCaller, old: Month, logged: Logged
):
    for _ in range(3):
        ended_run_of(agent, old)
    stop, sent = threading.Event(), list[str]()

    def ingest() -> None:
        while not stop.is_set():
            sent.append(new_run())
            assert agent.send(*whole_run(sent[-1])).json()["accepted"] == 7

    with ThreadPoolExecutor(2) as threads:
        ingesting = threads.submit(closing_after(ingest))
        try:
            with transaction.atomic():
                seen = rows_in("runs_span")
                assert threads.submit(closing_after(drop)).result(20) == 0
                assert seen >= 3
            assert logged("PARTITION_IN_USE")
            assert has_month(old)
            assert drop() == 1
        finally:
            stop.set()
        ingesting.result(20)
    assert prune_expired_runs().runs == 3
    assert {str(run.id) for run in Run.objects.all()} == set(sent)
    assert [rows_of_id(run) for run in sent] == [4] * len(sent)
    assert Span.objects.count() == len(sent)
    assert orphans() == 0


@at_once_with_others
def test_whoever_is_halfway_through_a_run_is_waited_for(agent: AgentCaller, old: Month):
    ended_run_of(agent, old)
    with transaction.atomic(), ThreadPoolExecutor(1) as worker:
        list(Run.objects.select_for_update().all())
        assert worker.submit(closing_after(drop)).result(20) == 0
    assert drop() == 1


def test_what_comes_of_a_month_that_went_is_kept(agent: AgentCaller, old: Month):
    run = ended_run_of(agent, old)
    assert drop() == 1
    agent.send(event(run))
    assert rows_of_id(run) == 1
    assert Run.objects.get(id=run).last_seen_at > timezone.now() - timedelta(minutes=1)
    assert prune_expired_runs().runs == 0
