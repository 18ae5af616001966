"""Runs past the retention of their environment go, whole, and nothing else does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from runs import tasks
from runs.models import Environment, Run, RunStatus
from runs.services import sweeps
from runs.services.sweeps import prune_expired_runs
from tests.cast import AgentCaller
from tests.sweeps.runs import ended_run, live_run, orphans, rows_of, set_status

pytestmark = pytest.mark.django_db


def kept() -> set[Any]:
    return set(Run.objects.values_list("id", flat=True))


def keep(environment: str, days: int | None) -> None:
    Environment.objects.filter(name=environment).update(retention_days=days)


def test_an_expired_run_goes_with_its_log(agent: AgentCaller):
    old, young = ended_run(agent, days_ago=31), ended_run(agent, days_ago=29)
    rows = rows_of(old)
    assert rows
    found = prune_expired_runs()
    assert (found.runs, found.rows, found.is_done) == (1, rows + 1, True)
    assert kept() == {young.id}
    assert rows_of(young)
    assert orphans() == 0


def test_a_second_sweep_finds_nothing(agent: AgentCaller):
    ended_run(agent, days_ago=31)
    assert [prune_expired_runs().runs, prune_expired_runs().runs] == [1, 0]


def test_an_environments_own_days_count(agent: AgentCaller, foreign_agent: AgentCaller):
    keep("prod", 90)
    keep("dev", 7)
    here, there = ended_run(agent, days_ago=8), ended_run(foreign_agent, days_ago=60)
    prune_expired_runs()
    assert here.id not in kept()
    assert kept() == {there.id}


@pytest.mark.parametrize("days", [0, 2**31 - 1])
def test_no_days_and_more_than_there_are_keep_for_ever(agent: AgentCaller, days: int):
    keep("dev", days)
    ended_run(agent, days_ago=20_000)
    assert prune_expired_runs().runs == 0


def test_a_console_that_keeps_for_ever_deletes_nothing(agent: AgentCaller, settings: Any):
    settings.RETENTION_DAYS = 0
    ended_run(agent, days_ago=4000)
    assert prune_expired_runs().runs == 0


def test_a_stalled_run_goes_though_it_never_ended(agent: AgentCaller):
    set_status(live_run(agent, silent_for=timedelta(days=31)), RunStatus.STALLED)
    assert prune_expired_runs().runs == 1


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.WAITING])
def test_a_run_that_may_go_on_stays(agent: AgentCaller, status: RunStatus):
    set_status(live_run(agent, silent_for=timedelta(days=31)), status)
    assert prune_expired_runs().runs == 0


def test_a_log_too_long_for_one_transaction_goes_piece_by_piece(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweeps, "ROWS_A_BATCH", 10)
    long, short = ended_run(agent, days_ago=40, events=50), ended_run(agent, days_ago=35)
    rows = rows_of(long) + rows_of(short)
    found = prune_expired_runs()
    assert (found.runs, found.rows) == (2, rows + 2)
    assert orphans() == 0


def test_killed_between_two_pieces_it_leaves_no_orphan_and_the_next_goes_on(
    agent: AgentCaller, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        pass

    def die(_pause_s: float) -> None:
        raise Killed

    monkeypatch.setattr(sweeps, "ROWS_A_BATCH", 10)
    run = ended_run(agent, days_ago=40, events=50)
    rows = rows_of(run)
    with monkeypatch.context() as once:
        once.setattr("runs.services.sweeps.time.sleep", die)
        with pytest.raises(Killed):
            prune_expired_runs()
    assert 0 < rows_of(run) < rows
    assert orphans() == 0
    assert prune_expired_runs().runs == 1
    assert orphans() == 0


def test_what_one_task_leaves_over_the_next_one_takes(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    again: list[Any] = []
    monkeypatch.setattr(tasks, "enqueue_on_commit", again.append)
    monkeypatch.setattr(sweeps, "RUNS_A_BATCH", 2)
    monkeypatch.setattr(sweeps, "BATCHES_A_SWEEP", 2)
    for _ in range(5):
        ended_run(agent, days_ago=40)
    tasks.sweep_retention()
    assert (len(kept()), again) == (1, [tasks.sweep_retention])
    monkeypatch.setattr(sweeps, "BATCHES_A_SWEEP", 500)
    tasks.sweep_retention()
    assert (len(kept()), again) == (0, [tasks.sweep_retention])


def test_it_is_logged_by_environment(agent: AgentCaller, logged: Callable[[str], list[dict[str, Any]]]):
    ended_run(agent, days_ago=40)
    prune_expired_runs()
    [line] = logged("RUNS_PRUNED")
    assert (line["environment"], line["runs"]) == ("dev", 1)
