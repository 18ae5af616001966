"""A run waits for a person and goes on: its status, its lease, and the span that stays as the record."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from runs.models import Run, Span
from runs.queries.log import run_log
from runs.services.sweeps import stall_silent_runs
from tests.cast import AgentCaller
from tests.ingest.items import event, run_finished, span, tick
from tests.runs_waiting.waits import ASKED_AT, ask, decide, now_of, open_run, wait_of
from tests.sweeps.runs import aged

pytestmark = pytest.mark.django_db


def test_a_run_that_asks_is_waiting_and_says_so_in_its_log(agent: AgentCaller):
    run = open_run(agent)
    action_id = ask(run)
    log = run_log(run.id, run.seq)
    assert log is not None
    assert log["run"] is not None
    assert (log["run"]["status"], log["run"]["spans"], log["seq"]) == ("waiting", 2, run.seq + 2)
    [wait] = log["spans"]
    assert (wait["kind"], wait["name"], wait["phase"]) == ("step", "approval: restart checkout", "gather")
    assert (wait["outcome"], wait["ended_at"]) == ("waiting", None)
    assert wait_of(run, action_id).attributes == {"approval": str(action_id)}


@pytest.mark.parametrize(("outcome", "message"), [("ok", "approved by omar"), ("rejected", "nobody decided in time")])
def test_the_end_of_the_wait_is_kept_and_the_run_is_running_again(agent: AgentCaller, outcome: str, message: str):
    run = open_run(agent)
    action_id = ask(run)
    decide(run, action_id, outcome, message)
    wait = wait_of(run, action_id)
    assert (wait.outcome, wait.message, wait.elapsed_ms) == (outcome, message, 90_000)
    assert (now_of(run).status, now_of(run).seq) == ("running", run.seq + 4)


def test_a_run_with_two_questions_waits_until_both_are_answered(agent: AgentCaller):
    run = open_run(agent)
    first, second = ask(run), ask(run)
    decide(run, first)
    assert now_of(run).status == "waiting"
    decide(run, second, "rejected", "denied by omar")
    assert now_of(run).status == "running"


def test_asking_and_deciding_again_change_nothing(agent: AgentCaller):
    run = open_run(agent)
    action_id = ask(run)
    ask(run, action_id)
    assert now_of(run).seq == run.seq + 2
    decide(run, action_id)
    decide(run, action_id, "rejected", "denied by ada")
    ask(run, action_id)
    assert (now_of(run).seq, now_of(run).status) == (run.seq + 4, "running")
    assert wait_of(run, action_id).outcome == "ok"


def test_the_end_of_a_wait_that_never_began_changes_nothing(agent: AgentCaller):
    run = open_run(agent)
    decide(run, uuid.uuid4())
    decide(Run(id=uuid.uuid4()), uuid.uuid4())
    ask(Run(id=uuid.uuid4()))
    assert (now_of(run).seq, Span.objects.count()) == (run.seq, 1)


def test_a_late_wait_is_shown_on_a_run_that_has_ended_and_leaves_it_ended(agent: AgentCaller):
    run = open_run(agent)
    agent.send(run_finished(str(run.id)))
    action_id = ask(run)
    assert (now_of(run).status, wait_of(run, action_id).outcome) == ("succeeded", "waiting")
    decide(run, action_id)
    assert (now_of(run).status, wait_of(run, action_id).outcome) == ("succeeded", "ok")


def test_what_arrives_leaves_it_waiting_and_only_an_end_ends_it(agent: AgentCaller):
    run = open_run(agent)
    action_id = ask(run)
    run_id = str(run.id)
    agent.send(tick(run_id, state="alive"), span(run_id), event(run_id))
    assert now_of(run).status == "waiting"
    agent.send(run_finished(run_id, status="cancelled"))
    decide(run, action_id, "rejected", "withdrawn before anybody decided")
    assert now_of(run).status == "cancelled"
    assert wait_of(run, action_id).message == "withdrawn before anybody decided"


def test_an_agent_that_is_gone_while_a_person_decides_waits_and_is_stalled_after(agent: AgentCaller):
    run = open_run(agent)
    action_id = ask(run)
    aged(str(run.id), timezone.now() - timedelta(hours=3))
    assert (stall_silent_runs(), now_of(run).status) == (0, "waiting")
    decide(run, action_id)
    assert (stall_silent_runs(), now_of(run).status) == (0, "running")
    aged(str(run.id), timezone.now() - timedelta(minutes=3))
    assert (stall_silent_runs(), now_of(run).status) == (1, "stalled")


def test_a_stalled_run_that_asks_is_waiting(agent: AgentCaller):
    run = aged(str(open_run(agent).id), timezone.now() - timedelta(minutes=3))
    stall_silent_runs()
    ask(run)
    assert now_of(run).status == "waiting"


def test_waits_stand_where_the_agents_clock_has_them(agent: AgentCaller):
    run = open_run(agent)
    Run.objects.filter(id=run.id).update(clock_skew_ms=-5000)
    action_id = ask(run)
    assert wait_of(run, action_id).started_at == ASKED_AT - timedelta(seconds=5)


def test_waiting_and_going_on_are_logged(agent: AgentCaller, logged: Callable[[str], list[dict[str, Any]]]):
    run = open_run(agent, request_id="req-7")
    first, second = ask(run), ask(run)
    decide(run, first)
    decide(run, second)
    [line] = logged("RUN_WAITING")
    assert (line["run_id"], line["request_id"], line["action_id"]) == (str(run.id), "req-7", str(first))
    assert [line["action_id"] for line in logged("RUN_CONTINUED")] == [str(second)]


def test_watchers_of_the_run_and_of_the_list_are_told(
    agent: AgentCaller, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
):
    hints: dict[str, Any] = {}
    monkeypatch.setattr("agentconsole.live.hints.publish", hints.update)
    run = open_run(agent)
    for act in (lambda: ask(run, uuid.UUID(int=7)), lambda: decide(run, uuid.UUID(int=7))):
        hints.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        assert hints[f"run:{run.id}"] == now_of(run).seq
        assert "runs:dev" in hints
