"""A run that is known from its spans alone ends by itself, and says how; it never runs for ever, and never stalls for silence that its
source explains."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from runs.models import Run
from runs.services.sweeps import stall_silent_runs
from tests.cast import AgentCaller
from tests.placing.exports import new_trace, span, store_spans
from traces.services.settling import settle_traced_runs

pytestmark = pytest.mark.django_db
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage"}


def after(seconds: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False)


def sweep_after(seconds: float) -> Run:
    with after(seconds):
        settle_traced_runs()
        stall_silent_runs()
    return Run.objects.get()


def notes_of(run: Run) -> list[str]:
    return (run.source or {})["notes"]


def test_it_ends_when_its_root_has_and_nothing_came_for_a_while(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1, took=3, attributes=AGENT), span(trace, 2, 1, at=1))
    assert sweep_after(9).status == "running"
    run = sweep_after(11)
    assert (run.status, notes_of(run)) == ("succeeded", [])
    assert run.took == timedelta(seconds=3)


def test_without_its_root_it_waits_longer_and_says_so(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 2, 1))
    assert sweep_after(299).status == "running"
    run = sweep_after(301)
    assert (run.status, notes_of(run)) == ("succeeded", ["root_missing"])


def test_a_servers_span_is_the_root_where_its_parent_is_another_processs(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 2, 1, kind=2), span(trace, 3, 2))
    run = sweep_after(11)
    assert (run.status, notes_of(run)) == ("succeeded", [])


def test_with_an_open_span_it_runs_until_its_lease_is_over(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1), span(trace, 2, 1, took=None))
    assert sweep_after(299).status == "running"
    assert sweep_after(301).status == "stalled"


def test_what_comes_late_can_change_the_end(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1))
    sweep_after(11)
    late = span(trace, 2, 1, status_code=2, status_message="boom", attributes=AGENT)
    store_spans(agent.instance, late)
    assert Run.objects.get().status == "running"
    run = sweep_after(11)
    assert (run.status, run.span_count) == ("failed", 2)


def test_what_comes_again_does_not_wake_it(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1))
    sweep_after(11)
    store_spans(agent.instance, span(trace, 1))
    assert Run.objects.get().status == "succeeded"


def test_a_sweep_that_comes_twice_changes_nothing_more(agent: AgentCaller):
    trace = new_trace()
    store_spans(agent.instance, span(trace, 1))
    seq = sweep_after(11).seq
    assert sweep_after(12).seq == seq
