"""Two workers sweep at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection, transaction

from runs.models import Run, RunStatus
from runs.services import sweeps
from runs.services.sweeps import prune_expired_runs, stall_silent_runs
from tests.cast import AgentCaller
from tests.sweeps.runs import ended_run, last_seq, live_run, orphans

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4
Found = TypeVar("Found")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "RUNS_A_BATCH", 3)


def closing_after(sweep: Callable[[], Found]) -> Callable[[], Found]:
    """The sweep, for a thread that gives its connection back."""

    def swept() -> Found:
        try:
            return sweep()
        finally:
            connection.close()

    return swept


def at_once(sweep: Callable[[], Found]) -> list[Found]:
    with ThreadPoolExecutor(WORKERS) as workers:
        running = [workers.submit(closing_after(sweep)) for _ in range(WORKERS)]
        return [one.result() for one in running]


def test_each_silent_run_is_stalled_by_one_of_them(agent: AgentCaller):
    runs = [live_run(agent) for _ in range(20)]
    assert sum(at_once(stall_silent_runs)) + stall_silent_runs() == 20
    assert Run.objects.filter(status=RunStatus.STALLED).count() == 20
    assert [last_seq(run) for run in runs] == [run.seq + 1 for run in runs]


def test_each_expired_run_is_deleted_by_one_of_them(agent: AgentCaller):
    for _ in range(20):
        ended_run(agent, days_ago=40)
    kept = ended_run(agent, days_ago=1)
    found = at_once(prune_expired_runs)
    assert sum(one.runs for one in found) + prune_expired_runs().runs == 20
    assert [run.id for run in Run.objects.all()] == [kept.id]
    assert orphans() == 0


@pytest.mark.postgres
@pytest.mark.parametrize("sweep", [stall_silent_runs, lambda: prune_expired_runs().runs])
def test_a_run_that_an_ingest_has_in_hand_is_left_for_the_next_sweep(agent: AgentCaller, sweep: Callable[[], int]):
    in_hand = [live_run(agent).id, ended_run(agent, days_ago=40).id]
    with transaction.atomic(), ThreadPoolExecutor(1) as worker:
        list(Run.objects.select_for_update().filter(id__in=in_hand))
        assert worker.submit(closing_after(sweep)).result(10) == 0
    assert sweep() == 1
