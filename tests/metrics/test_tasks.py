"""A worker counts its tasks: how they ended, how long they ran and waited, what sweeps changed."""

import pytest

from agentconsole.jobs import enqueue_on_commit
from approvals.models import Action
from approvals.tasks import expire_actions
from tests.approvals.asking import ask_for
from tests.cast import AgentCaller
from tests.jobs import tasks
from tests.processes.running import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
TASKS = "agentconsole_tasks_total"
WAIT = "agentconsole_task_wait_seconds_count"


def test_a_task_that_worked_is_ok_and_had_to_wait(worker: None, moved) -> None:
    ok, waited = moved(TASKS, task=tasks.look.name, outcome="ok"), moved(WAIT, task=tasks.look.name)
    took = moved("agentconsole_task_duration_seconds_count", task=tasks.look.name)
    enqueue_on_commit(tasks.look)
    wait_for("the task is counted", ok)
    assert (ok(), waited(), took()) == (1, 1, 1)


def test_a_task_that_breaks_is_failed(worker: None, moved) -> None:
    failed, ok = (
        moved(TASKS, task=tasks.stumble.name, outcome="failed"),
        moved(TASKS, task=tasks.stumble.name, outcome="ok"),
    )
    enqueue_on_commit(tasks.stumble)
    wait_for("the task is counted", failed)
    assert (failed(), ok()) == (1, 0)


def test_a_retry_is_counted_as_one(worker: None, moved) -> None:
    name = tasks.look_twice.name
    retried, ok = moved(TASKS, task=name, outcome="retried"), moved(TASKS, task=name, outcome="ok")
    enqueue_on_commit(tasks.look_twice)
    wait_for("the second try is counted", ok)
    assert (retried(), ok()) == (1, 1)


def test_a_task_that_was_to_wait_tells_nothing_of_the_queue(worker: None, moved) -> None:
    ok, waited = moved(TASKS, task=tasks.look.name, outcome="ok"), moved(WAIT, task=tasks.look.name)
    tasks.look.apply_async(countdown=0.01)
    wait_for("the task is counted", ok)
    assert waited() == 0


def test_a_broker_that_is_away_is_counted(moved, monkeypatch) -> None:
    lost = moved("agentconsole_task_enqueue_failures_total", task=tasks.look.name)
    monkeypatch.setattr(tasks.look, "apply_async", lambda **_kwargs: 1 / 0)
    enqueue_on_commit(tasks.look)
    assert lost() == 1


def test_a_sweep_says_what_it_changed(agent: AgentCaller, moved) -> None:
    swept = moved("agentconsole_swept_total", sweep="expired_actions")
    late, _in_time = ask_for(agent), ask_for(agent)
    Action.objects.filter(id=late.id).update(deadline_at=late.created_at)
    expire_actions()
    expire_actions()
    assert swept() == 1
