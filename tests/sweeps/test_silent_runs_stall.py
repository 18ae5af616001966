"""A live run whose lease is over is told as stalled, once, to everybody who watches."""

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agentconsole import live
from runs.models import Run, RunStatus
from runs.queries.log import run_log
from runs.services import sweeps
from runs.services.sweeps import stall_silent_runs
from tests.cast import AgentCaller
from tests.ingest.items import tick
from tests.sweeps.runs import aged, ended_run, live_run, set_status

pytestmark = pytest.mark.django_db


def test_a_silent_run_is_stalled_under_a_number_of_its_own(agent: AgentCaller):
    run = live_run(agent)
    assert stall_silent_runs() == 1
    log = run_log(run.id, run.seq)
    assert log is not None
    assert log["run"] is not None
    assert (log["run"]["status"], log["run"]["seq"], log["seq"]) == ("stalled", run.seq + 1, run.seq + 1)


def test_the_list_of_changed_runs_shows_it(agent: AgentCaller):
    run = live_run(agent)
    before = timezone.now()
    stall_silent_runs()
    assert Run.objects.get(updated_at__gte=before).id == run.id


def test_a_second_sweep_finds_nothing(agent: AgentCaller):
    run = live_run(agent)
    assert (stall_silent_runs(), stall_silent_runs()) == (1, 0)
    assert Run.objects.get(id=run.id).seq == run.seq + 1


@pytest.mark.parametrize("status", [RunStatus.WAITING, RunStatus.SUCCEEDED, RunStatus.CANCELLED, RunStatus.STALLED])
def test_a_run_that_owes_no_sign_of_life_is_left_alone(agent: AgentCaller, status: RunStatus):
    set_status(live_run(agent), status)
    assert stall_silent_runs() == 0
    assert Run.objects.get().status == status


def test_a_run_within_its_lease_is_left_alone(agent: AgentCaller):
    live_run(agent, silent_for=timedelta(seconds=50), lease_s=60)
    assert stall_silent_runs() == 0


def test_a_queued_run_stalls_too(agent: AgentCaller):
    set_status(live_run(agent), RunStatus.QUEUED)
    assert stall_silent_runs() == 1


def test_more_than_a_batch_are_stalled_in_one_sweep(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweeps, "RUNS_A_BATCH", 2)
    for _ in range(5):
        live_run(agent)
    ended_run(agent, days_ago=1)
    assert stall_silent_runs() == 5
    assert Run.objects.filter(status=RunStatus.STALLED).count() == 5


def test_it_is_logged_under_the_runs_own_request_id(agent: AgentCaller, logged: Callable[[str], list[dict[str, Any]]]):
    run = live_run(agent, request_id="req-silent")
    stall_silent_runs()
    [line] = logged("RUN_STALLED")
    assert (line["run_id"], line["request_id"], line["environment"]) == (str(run.id), "req-silent", "dev")
    assert 290 <= line["silent_s"] <= 310


def test_watchers_of_the_run_and_of_the_list_get_a_hint(
    agent: AgentCaller, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
):
    hints: dict[str, Any] = {}
    module = sys.modules[live.publish_on_commit.__module__]
    monkeypatch.setattr(module, "publish", hints.update)
    run = live_run(agent)
    with django_capture_on_commit_callbacks(execute=True):
        stall_silent_runs()
    assert hints[f"run:{run.id}"] == run.seq + 1
    assert "runs:dev" in hints


def test_a_late_item_wakes_the_run(agent: AgentCaller):
    run = live_run(agent)
    stall_silent_runs()
    agent.send(tick(str(run.id), state="alive"))
    woken = Run.objects.get(id=run.id)
    assert woken.status == RunStatus.RUNNING
    assert woken.seq > run.seq + 1
    assert stall_silent_runs() == 0
    aged(str(run.id), timezone.now() - timedelta(minutes=5))
    assert stall_silent_runs() == 1
