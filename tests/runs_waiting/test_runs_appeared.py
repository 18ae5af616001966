"""Other apps hear of runs that appear, inside the transaction that made them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from runs.models import Run
from runs.services.waits import begin_wait
from runs.signals import runs_appeared
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, run_finished, run_started, tick
from tests.runs_waiting.waits import ASKED_AT, now_of

pytestmark = pytest.mark.django_db
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def heard() -> Iterator[list[list[str]]]:
    """What was told of so far, a list for each time."""
    told: list[list[str]] = []

    def receive(sender: type[Run], run_ids: list[UUID], **_more: Any) -> None:
        assert sender is Run
        assert connection.in_atomic_block
        assert Run.objects.filter(id__in=run_ids).count() == len(run_ids)
        told.append([str(run_id) for run_id in run_ids])

    runs_appeared.connect(receive)
    yield told
    runs_appeared.disconnect(receive)


def test_new_runs_of_a_batch_are_told_of_together_and_once(agent: AgentCaller, heard: list[list[str]]):
    one, other = new_run(), new_run()
    agent.send(run_started(one), tick(one), event(other))
    agent.send(tick(one), event(other), run_finished(one))
    [told] = heard
    assert sorted(told) == sorted([one, other])


def test_a_run_is_told_of_again_when_its_names_come(agent: AgentCaller, heard: list[list[str]]):
    run = new_run()
    agent.send(tick(run))
    agent.send(tick(run, request_id="req-1"))
    agent.send(run_started(run, trace_id=TRACE))
    agent.send(run_started(run, trace_id=TRACE), tick(run))
    assert heard == [[run]] * 3


def test_another_agents_run_is_not_told_of(agent: AgentCaller, foreign_agent: AgentCaller, heard: list[list[str]]):
    run = new_run()
    agent.send(tick(run))
    foreign_agent.send(run_started(run))
    assert heard == [[run]]


def test_a_refused_batch_is_told_to_nobody(agent: AgentCaller, heard: list[list[str]]):
    agent.send(tick(new_run(), phase=""))
    assert heard == []


def test_a_receiver_may_write_into_the_runs_it_hears_of(
    agent: AgentCaller, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
):
    def wait(run_ids: list[UUID], **_more: Any) -> None:
        begin_wait(run=Run.objects.get(id=run_ids[0]), action_id=UUID(int=7), name="approval: pay", at=ASKED_AT)

    hints: dict[str, Any] = {}
    monkeypatch.setattr("agentconsole.live.hints.publish", hints.update)
    runs_appeared.connect(wait)
    try:
        run_id = new_run()
        with django_capture_on_commit_callbacks(execute=True):
            agent.send(run_started(run_id), tick(run_id))
    finally:
        runs_appeared.disconnect(wait)
    run = now_of(Run(id=run_id))
    assert (run.status, run.span_count, hints[f"run:{run_id}"]) == ("waiting", 1, run.seq)
