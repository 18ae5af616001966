"""Partitions are there before their month begins, and what belongs to none is kept all the same."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from runs import tasks
from runs.models import LOG_TABLES, Span
from runs.months import Month
from runs.queries.partitions import default_of, months_of, partition_of, unpartitioned_rows
from runs.services.partitions import make_partitions
from tests.cast import AgentCaller
from tests.ingest.items import new_run, whole_run
from tests.partitions.months import has_month, number, partition, rows_in, run_begun
from tests.sweeps.runs import rows_of_id
from tests.sweeps.test_sweeps_at_once import at_once, closing_after

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
at_once_with_others = pytest.mark.django_db(transaction=True)
LATER = timedelta(days=31 * 6)


def months_from(month: Month, count: int) -> set[Month]:
    found = {month}
    while len(found) < count:
        found.add(max(found).following)
    return found


@pytest.fixture
def later() -> Month:
    """A month some way ahead that nobody has made yet."""
    month = Month.of(timezone.now() + LATER)
    assert not any(month in months_of(table) for table in LOG_TABLES)
    return month


def make_in(month: Month, **options: Any) -> int:
    with time_machine.travel(month.start + timedelta(days=14), tick=True):
        return make_partitions(**options)


def test_this_month_and_the_next_two_have_theirs_from_the_start():
    for table in LOG_TABLES:
        assert months_from(Month.of(timezone.now()), 3) <= months_of(table)
    assert make_partitions() == 0


def test_the_sweep_makes_what_is_missing(later: Month):
    with time_machine.travel(later.start, tick=True):
        tasks.sweep_partitions()
    for month in months_from(later, 3):
        assert has_month(month)


def test_setting_up_makes_what_is_missing(later: Month, environments: None, settings: Any):
    settings.DOCTOR_ENABLED = False
    with time_machine.travel(later.start, tick=True):
        call_command("setup_console", verbosity=0)
    assert has_month(later)


def test_a_new_partition_has_the_indexes_and_constraints_of_the_others(later: Month):
    make_in(later)
    shape = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass"
    keys = "SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass"
    for table in LOG_TABLES:
        for counted in (shape, keys):
            assert number(counted, partition_of(table, later)) == number(counted, default_of(table)) > 1


@at_once_with_others
def test_four_workers_at_once_make_each_of_them_once(later: Month):
    with time_machine.travel(later.start, tick=True):
        made = at_once(make_partitions)
        assert sum(made) + make_partitions() == 9
    assert has_month(later)


def test_a_run_of_a_month_without_a_partition_is_kept_and_told_of(agent: AgentCaller, later: Month):
    run = run_begun(later.start)
    answer = agent.send(*whole_run(run)).json()
    assert (answer["accepted"], answer["rejected"]) == (7, [])
    assert unpartitioned_rows() == {"runs_phasetick": 2, "runs_traceevent": 1, "runs_span": 1}
    again = agent.send(*whole_run(run)[:1], *whole_run(run)[-1:]).json()
    assert again["duplicates"] == 2


def test_its_rows_move_once_their_month_is_made(agent: AgentCaller, later: Month):
    run, other = run_begun(later.start), run_begun(later.following.following.following.start)
    agent.send(*whole_run(run), *whole_run(other))
    assert make_in(later) == 9
    assert unpartitioned_rows() == {"runs_phasetick": 2, "runs_traceevent": 1, "runs_span": 1}
    assert rows_in(partition_of(Span, later)) == 1
    assert rows_of_id(run) == rows_of_id(other) == 4


def test_too_many_to_move_beside_the_ingest_stay_and_are_told_of(
    agent: AgentCaller, later: Month, logged: Callable[[str], list[dict[str, Any]]]
):
    run = run_begun(later.start)
    agent.send(*whole_run(run))
    assert make_in(later, move_at_most=1) == 8
    [line] = logged("PARTITION_NOT_MADE")
    assert (line["partition"], line["rows"]) == (f"runs_phasetick_{later}", 2)
    assert rows_of_id(run) == 4
    assert make_in(later, move_at_most=None) == 1
    assert rows_of_id(run) == 4


@at_once_with_others
def test_a_long_reader_of_the_default_puts_it_off_and_ingest_goes_on(
    agent: AgentCaller, later: Month, logged: Callable[[str], list[dict[str, Any]]]
):
    with transaction.atomic(), ThreadPoolExecutor(2) as threads:
        rows_in(default_of(Span))
        making = threads.submit(closing_after(lambda: make_in(later)))
        sent = threads.submit(closing_after(lambda: agent.send(*whole_run(new_run())).json()))
        assert sent.result(20)["rejected"] == []
        assert making.result(20) == 6
    assert {line["partition"] for line in logged("PARTITION_IN_USE")} == {
        partition_of(Span, month) for month in months_from(later, 3)
    }
    assert make_in(later) == 3


@at_once_with_others
def test_a_reader_never_misses_what_moves(agent: AgentCaller, later: Month):
    run = run_begun(later.start)
    agent.send(*whole_run(run))
    stop, seen = threading.Event(), set[int]()

    def read() -> None:
        while not stop.is_set():
            seen.add(rows_of_id(run))

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(closing_after(read))
        try:
            make_in(later)
        finally:
            stop.set()
        reading.result(10)
    assert seen == {4}


def test_a_month_made_meanwhile_is_no_error(later: Month):
    partition(later)
    assert make_in(later) == 6


@at_once_with_others
def test_it_leaves_its_locks_with_its_transaction(later: Month):
    before = shown("lock_timeout")
    make_in(later)
    held = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('relation', 'advisory') AND mode ~ 'Exclusive'"
    assert number(held) == 0
    assert shown("lock_timeout") == before


def shown(setting: str) -> object:
    """What the connection has it set to."""
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        return cursor.fetchone()
